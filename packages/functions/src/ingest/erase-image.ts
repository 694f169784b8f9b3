import * as Erase from "@balde/core/erase";
import * as Ingest from "@balde/core/ingest";
import type { ImageId } from "@balde/core/image.schema";

import * as ImageObjects from "./image-objects.ts";

/** An image that is deleted, or whose row is gone, with the name that it had. */
export type ErasedImage = {
  imageId: ImageId;
  name?: string | undefined;
  /** True when every process that may still store something of the image has ended: then the name is forgotten, too. */
  isLast?: boolean | undefined;
};

/** Removes all objects and rows of a deleted image but its tombstone, and frees its name. What is public goes first. An image that is not deleted is left alone. When it is interrupted, it can be called again. */
export async function eraseImage({ imageId, name, isLast }: ErasedImage): Promise<void> {
  const row = await Ingest.readRow(imageId);
  if (row.state && row.state !== "deleted") return;
  await ImageObjects.freeName({ id: imageId, name: row.name ?? name });
  await ImageObjects.removeAll(imageId);
  await Erase.removeRows(imageId);
  if (isLast && row.name) await Erase.forgetName(imageId);
}
