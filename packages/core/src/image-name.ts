import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";

// A name belongs to at most one image: reserved while its upload may still come, claimed when the image is accepted. The
// row in the table decides which image has a name; the copy in the bucket only follows it.

type Owner = { id: ImageId; ownerId: string };

/** The put that reserves `name` until `expiresAt` (in seconds), for a transaction with the image's row. Its condition is not met if another image has the name. */
export const reservation = (name: string, image: Owner, expiresAt: number): Dynamo.Put => ({
  item: { ...row(name, image), state: "reserved", expiresAt },
  condition: `attribute_not_exists(#pk) OR #expiresAt <= :now`,
  values: { now: Clock.nowSeconds() },
});

/** Gives the name to the image, without expiry. True if it has the name now; false if another image has it. */
export const claim = (name: string, image: Owner): Promise<boolean> =>
  Dynamo.put({
    item: { ...row(name, image), state: "claimed" },
    condition: `attribute_not_exists(#pk) OR #imageId = :imageId OR #expiresAt <= :now`,
    values: { imageId: image.id, now: Clock.nowSeconds() },
  });

/** Frees the name. True if the image had it; false, and nothing is changed, if another image or none has it. */
export const release = (name: string, id: ImageId): Promise<boolean> =>
  Dynamo.remove({ key: key(name), condition: `#imageId = :imageId`, values: { imageId: id } });

const key = (name: string) => ({ pk: `NAME#${name}`, sk: "NAME" });

const row = (name: string, { id, ownerId }: Owner) => ({ ...key(name), imageId: id, ownerId });
