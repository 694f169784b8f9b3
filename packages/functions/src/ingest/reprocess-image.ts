import * as Ingest from "@balde/core/ingest";
import type { ImageId } from "@balde/core/image.schema";
import { Refusal } from "@balde/imaging/refusal";
import * as WorkerProcess from "@balde/imaging/worker-process";

import { eraseImage } from "./erase-image.ts";
import { findings } from "./findings.ts";
import * as ImageObjects from "./image-objects.ts";
import { syncNamedCopy } from "./sync-named-copy.ts";

/** Prepares a ready image again, and removes its derivatives; until then, the old ones are delivered. */
export async function reprocessImage(id: ImageId, limit: WorkerProcess.Limit): Promise<void> {
  const image = await Ingest.findReady(id);
  // an interrupted attempt may have stored again what was erased
  if (!image) return eraseImage(id);
  const bytes = await ImageObjects.readOriginal(image);
  if (!bytes) return console.warn({ message: "The image has no original to prepare again", id });
  try {
    const namedCopy = ImageObjects.hasNamedCopy(image);
    const prepared = await WorkerProcess.prepare(bytes, { ...limit, namedCopy });
    await ImageObjects.store(image, prepared);
    if (!namedCopy) await ImageObjects.removeNamedCopy(image);
    const now = await Ingest.replaceFindings(id, findings(bytes.length, prepared));
    if (now) await ImageObjects.removeDerivatives(id, prepared.rev);
    // deleted or made private meanwhile: what was stored again is removed again
    if (now?.visibility !== image.visibility) await syncNamedCopy(id, limit);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // it was accepted by the rules of its time
    const { code, detail } = error;
    console.warn({
      message: "The image stays as it is: it would be refused today",
      id,
      code,
      detail,
    });
  }
}
