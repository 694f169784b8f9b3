import * as Ingest from "@balde/core/ingest";
import type { ImageId } from "@balde/core/image.schema";
import * as WorkerProcess from "@balde/imaging/worker-process";

import { eraseImage } from "./erase-image.ts";
import * as ImageObjects from "./image-objects.ts";

/** Stores the copy under the image's name while the image is public, and removes it while the image is private. */
export async function syncNamedCopy(id: ImageId, limit: WorkerProcess.Limit): Promise<void> {
  for (;;) {
    const image = await Ingest.findReady(id);
    // a command that is delivered again may name an image that is deleted by now
    if (!image) return eraseImage(id);
    if (!image.name) return;
    if (ImageObjects.hasNamedCopy(image)) {
      const bytes = await ImageObjects.readOriginal(image);
      if (bytes) {
        const prepared = await WorkerProcess.prepare(bytes, { ...limit, namedCopy: true });
        await ImageObjects.storeNamedCopy(image, prepared);
      }
    } else await ImageObjects.removeNamedCopy(image);
    // the owner may have changed the image since it was read, and the command for that may have run before the copy was stored
    const now = await Ingest.readRow(id);
    if (now.state === "ready" && now.visibility === image.visibility) return;
  }
}
