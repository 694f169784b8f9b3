import * as Ingest from "@balde/core/ingest";
import { Refusal } from "@balde/imaging/refusal";
import * as WorkerProcess from "@balde/imaging/worker-process";

import { type ErasedImage, eraseImage } from "./erase-image.ts";
import * as ImageObjects from "./image-objects.ts";

/**
 * Brings the objects of an image to what its row says: a deleted image is erased, and the copy under the name of a ready one
 * exists while the image is public. Other states are left to the processing of the upload. When it is interrupted, it can be
 * called again; of several calls at once none undoes what the row says last.
 */
export async function syncImage(change: ErasedImage, limit: WorkerProcess.Limit): Promise<void> {
  for (;;) {
    const image = await Ingest.findReady(change.imageId);
    if (!image) return eraseImage(change);
    if (!image.name) return;
    if (ImageObjects.hasNamedCopy(image)) {
      const isRefused = await ensureNamedCopy(image, limit).then(() => false, logRefusal(image));
      if (isRefused) return;
    } else await ImageObjects.removeNamedCopy(image);
    // the owner may have changed the image since it was read, and the command for that may have run before the copy was stored
    const now = await Ingest.readRow(image.id);
    if (now.state === "ready" && now.visibility === image.visibility) return;
  }
}

async function ensureNamedCopy(image: Ingest.Image, limit: WorkerProcess.Limit) {
  if (await ImageObjects.isNamedCopyCurrent(image)) return;
  const prepared = await Ingest.inSlot(image, () =>
    ImageObjects.withOriginal(image, (file) =>
      WorkerProcess.prepare(file, { ...limit, namedCopy: true }),
    ),
  );
  if (prepared) await ImageObjects.storeNamedCopy(image, prepared);
}

/** The image is ready and stays so: to try again would refuse it again, and no later message must wait for it. Rethrows every other error. */
const logRefusal = (image: Ingest.Image) => (error: unknown) => {
  if (!(error instanceof Refusal)) throw error;
  const { code, detail } = error;
  console.warn({
    message: "The image has no copy under its name",
    id: image.id,
    name: image.name,
    code,
    detail,
  });
  return true;
};
