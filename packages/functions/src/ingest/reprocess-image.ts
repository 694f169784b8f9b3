import * as Ingest from "@balde/core/ingest";
import type { ImageId } from "@balde/core/image.schema";
import { Refusal } from "@balde/imaging/refusal";
import * as WorkerProcess from "@balde/imaging/worker-process";

import { findings } from "./findings.ts";
import * as ImageObjects from "./image-objects.ts";
import { syncImage } from "./sync-image.ts";

/** Prepares a ready image again, and removes its derivatives; until then, the old ones are delivered. Brings all objects of the image, ready or not, to what its row says. */
export async function reprocessImage(id: ImageId, limit: WorkerProcess.Limit): Promise<void> {
  const image = await Ingest.findReady(id);
  if (image) await prepareAgain(image, limit);
  // deleted or made private meanwhile, or an interrupted attempt has stored again what was erased
  await syncImage({ imageId: id }, limit);
}

async function prepareAgain(image: Ingest.Image, limit: WorkerProcess.Limit) {
  const { id } = image;
  try {
    const namedCopy = ImageObjects.hasNamedCopy(image);
    const original = await Ingest.inSlot(image, () =>
      ImageObjects.withOriginal(image, async (file, bytes) => ({
        bytes,
        prepared: await WorkerProcess.prepare(file, { ...limit, namedCopy }),
      })),
    );
    if (!original)
      return console.warn({ message: "The image has no original to prepare again", id });
    const { bytes, prepared } = original;
    await ImageObjects.store(image, prepared);
    await ImageObjects.removeOtherRevisions(id, prepared.rev);
    const now = await Ingest.replaceFindings(id, findings(bytes, prepared));
    if (now) await ImageObjects.removeDerivatives(id);
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
