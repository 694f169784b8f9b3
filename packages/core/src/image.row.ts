import * as z from "zod/mini";

import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import { Info, Rung } from "./image.schema.ts";

/** The row of an image in the table: what clients see of it, without the likes, and what only delivery and ingest need. */
export type Row = z.infer<typeof Row>;
export const Row = z.extend(z.omit(Info, { likes: true }), {
  /** True if any pixel is transparent. */
  hasAlpha: z.optional(z.boolean()),
  /** The number of frames; more than one is an animation. */
  pages: z.optional(z.int().check(z.positive())),
  rungs: z.optional(z.array(Rung)),
  /** The author and the copyright notice in the original's EXIF; delivered only with `meta=copyright`. */
  credit: z.optional(
    z.object({ artist: z.optional(z.string()), copyright: z.optional(z.string()) }),
  ),
  /** While pending: what a presigned form requires, or S3's id of an upload in parts and their size. */
  upload: z.optional(
    z.object({
      sha256: z.optional(z.string()),
      multipart: z.optional(z.object({ id: z.string(), partBytes: z.int() })),
    }),
  ),
  /** Of the last S3 event that was worked on, padded. */
  sequencer: z.optional(z.string()),
  /** How often ingest has started to process an upload of the image. */
  attempts: z.optional(z.int()),
  /** Size and S3's ETag of the last upload that was worked on, so that the same bytes are not worked on again. */
  uploadTag: z.optional(z.string()),
  /** In seconds since 1970: the end of an upload that has not come, of a rejected image, or of a tombstone. */
  expiresAt: z.optional(z.int()),
});

/**
 * What the tombstone of a deleted image keeps, beside its key, each with the reason. Every other attribute is removed when
 * the image is deleted, so a new attribute is never kept by accident.
 */
export const tombstoneAttributes: Readonly<Partial<Record<keyof Row, string>>> = {
  state: "`deleted` marks the tombstone: a late event must not bring the image back",
  ownerId: "only the owner may repeat the deletion, which erases again",
  name: "ingest removes the copy under it and frees it, and removes this attribute at last",
  updatedAt: "when the image was deleted",
  version: "every change of a row counts it",
  expiresAt: "the TTL removes the tombstone",
};

const PREFIX = "IMAGE#";

const indexAttributes = ["gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];

/** The attributes to remove from the row of an image that is deleted: all but those that a tombstone keeps. */
export const attributesToClear: readonly string[] = [
  ...Object.keys(Row.shape).filter((name) => !Object.hasOwn(tombstoneAttributes, name)),
  ...indexAttributes,
];

/** The partition of an image: its row and its count of likes. */
export const partition = (id: ImageId) => PREFIX + id;
/** The image whose row has this partition key; undefined for any other row. */
export const parsePartition = (pk: string): ImageId | undefined =>
  pk.startsWith(PREFIX) ? (pk.slice(PREFIX.length) as ImageId) : undefined;
/** The key of an image's row. */
export const key = (id: ImageId): Dynamo.Key => ({ pk: partition(id), sk: "META" });
/** The partition of a user's images in the index `gsi1`, sorted by id. */
export const ownerKey = (userId: string) => `OWNER#${userId}`;

/** The item to put for a new image. It is in its owner's list at once. */
export const item = (row: Row) => ({
  ...row,
  ...key(row.id),
  gsi1pk: ownerKey(row.ownerId),
  gsi1sk: row.id,
});

/**
 * The row of an item of the table; undefined without one, for a tombstone and for an expired upload. (DynamoDB removes
 * expired items within days, not at once: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html)
 */
export function parse(item: Dynamo.Item | undefined): Row | undefined {
  if (!item || item["state"] === "deleted") return undefined;
  const row = Row.parse(item);
  return row.expiresAt !== undefined && row.expiresAt <= Clock.nowSeconds() ? undefined : row;
}

/** What clients see of an image. */
export const toInfo = (row: Row, likes: number): Info => Info.parse({ ...row, likes });

type Change = Omit<Dynamo.Update, "key"> & { id: ImageId };

/** The row's item after the change; undefined if the condition was not met. */
export const update = (change: Change) => Dynamo.update(changeOf(change));

/** The update of the row, also for a transaction. Every change of a row is made by this function: it sets `updatedAt` and counts `version`. */
export const changeOf = ({ id, set, ...change }: Change): Dynamo.Update => ({
  ...change,
  key: key(id),
  set: { ...set, updatedAt: Clock.nowIso() },
  add: { ...change.add, version: 1 },
});

export type SeenChange = Pick<Dynamo.Update, "remove" | "add"> & {
  set: Partial<Row> & Dynamo.Item;
};

/**
 * The row after the change; undefined if another request has changed it since it was seen. `alsoWrite` is written in the same
 * transaction, or not at all.
 */
export async function updateSeen(
  seen: Row,
  change: SeenChange,
  alsoWrite: Dynamo.Write[],
): Promise<Row | undefined> {
  const { update, after } = changeOfSeen(seen, change);
  if (alsoWrite.length === 0) return parse(await Dynamo.update(update));
  const [result] = await Dynamo.transact([{ update }, ...alsoWrite]);
  return result!.isMet ? after : undefined;
}

/** The update of a row, unless another request has changed it since it was seen, and the row after it. `remove` has attributes that a row may be without. */
export function changeOfSeen(seen: Row, change: SeenChange): { update: Dynamo.Update; after: Row } {
  const update = changeOf({
    ...change,
    id: seen.id,
    condition: "#version = :seen",
    values: { seen: seen.version },
  });
  const after: Dynamo.Item = { ...seen, ...update.set, version: seen.version + 1 };
  for (const name of change.remove ?? []) delete after[name];
  return { update, after: Row.parse(after) };
}
