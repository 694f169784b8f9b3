import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";

// A name belongs to one image: reserved while its upload may still come, published when the picture is accepted. The row
// decides, not the bucket.

type Owner = { id: ImageId; ownerId: string };

/** To be written together with the image; fails when the name is somebody's. */
export const reservation = (name: string, image: Owner, expiresAt: number): Dynamo.Put => ({
  item: { ...row(name, image), state: "reserved", expiresAt },
  when: `attribute_not_exists(#pk) OR #expiresAt <= :now`,
  values: { now: ImageRow.seconds() },
});

/** Whether the name is this image's from now on. */
export const claim = (name: string, image: Owner) =>
  Dynamo.put({
    item: { ...row(name, image), state: "published" },
    when: `attribute_not_exists(#pk) OR #imageId = :imageId OR #expiresAt <= :now`,
    values: { imageId: image.id, now: ImageRow.seconds() },
  });

export const belongsTo = async (name: string, id: ImageId) =>
  (await Dynamo.get(key(name)))?.["imageId"] === id;

/** Leaves the name alone when it is another image's by now. */
export const release = (name: string, id: ImageId) =>
  Dynamo.remove({ key: key(name), when: `#imageId = :imageId`, values: { imageId: id } });

const key = (name: string) => ({ pk: `NAME#${name}`, sk: "NAME" });

const row = (name: string, { id, ownerId }: Owner) => ({ ...key(name), imageId: id, ownerId });
