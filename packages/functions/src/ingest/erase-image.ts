import * as Ingest from "@balde/core/ingest";
import type { ImageId } from "@balde/core/image.schema";

import * as ImageObjects from "./image-objects.ts";

/** Removes all objects and rows of a deleted image but its tombstone, and frees its name. An image that is not deleted is left alone. When it is interrupted, it can be called again. */
export async function eraseImage(id: ImageId): Promise<void> {
  const row = await Ingest.readRow(id);
  if (row.state && row.state !== "deleted") return;
  await ImageObjects.freeName({ ...row, id });
  await ImageObjects.removeAll(id);
  await Ingest.removeRows(id);
}
