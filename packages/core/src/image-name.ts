import { randomUUID } from "node:crypto";

import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import { MAX_NAME } from "./text.schema.ts";

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

/** How many names a suggestion looks up: one request to the table. */
const CANDIDATES = 9;

/** A name like this one that no image has at the moment, such as `pier-2.jpg`; undefined if all that were tried are taken. */
export async function suggest(name: string): Promise<string | undefined> {
  const [, stem = name, ending = ""] = /^(.+?)(\.[A-Za-z0-9]{1,8})?$/.exec(name) ?? [];
  const variant = (suffix: string) => {
    const room = MAX_NAME - suffix.length - ending.length;
    return `${stem.slice(0, room)}${suffix}${ending}`;
  };
  const numbers = Array.from({ length: CANDIDATES - 1 }, (_, index) => variant(`-${index + 2}`));
  // it is free whatever others have
  const names = [...numbers, variant(`-${randomUUID().slice(0, 8)}`)];
  const rows = await Dynamo.getMany(names.map(key), true);
  const now = Clock.nowSeconds();
  const taken = new Set(
    rows.filter(({ expiresAt }) => !(Number(expiresAt) <= now)).map(({ pk }) => pk),
  );
  return names.find((one) => !taken.has(key(one).pk));
}

const key = (name: string) => ({ pk: `NAME#${name}`, sk: "NAME" });

const row = (name: string, { id, ownerId }: Owner) => ({ ...key(name), imageId: id, ownerId });
