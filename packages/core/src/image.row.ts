import * as z from "zod/mini";

import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import { Info, Rung } from "./image.schema.ts";

/** An image as the table has it. Whoever delivers it needs `rungs` and what is about pixels, ingest needs `sequencer`. */
export type Row = z.infer<typeof Row>;
export const Row = z.extend(z.omit(Info, { likes: true }), {
  /** Whether any pixel is see-through. */
  hasAlpha: z.optional(z.boolean()),
  /** More than one is a moving picture. */
  pages: z.optional(z.int().check(z.positive())),
  rungs: z.optional(z.array(Rung)),
  /** Who made it and whose it is, as the original says; delivered when asked for. */
  credit: z.optional(
    z.object({ artist: z.optional(z.string()), copyright: z.optional(z.string()) }),
  ),
  /** Of the S3 event that was worked on last, padded. */
  sequencer: z.optional(z.string()),
  /** In seconds. Of uploads that never came and of tombstones. */
  expiresAt: z.optional(z.int()),
});

export const DAY_SECONDS = 24 * 3600;

export const key = (id: ImageId) => ({ pk: `IMAGE#${id}`, sk: "META" });
export const ownerKey = (userId: string) => `OWNER#${userId}`;

/** A new row; it appears in its owner's list at once. */
export const item = (row: Row) => ({
  ...row,
  ...key(row.id),
  gsi1pk: ownerKey(row.ownerId),
  gsi1sk: row.id,
});

/** undefined for a tombstone and for an upload that never came: DynamoDB removes what has expired within days, not at once. */
export function parse(item: Dynamo.Item | undefined): Row | undefined {
  if (!item || item["state"] === "deleted") return undefined;
  const row = Row.parse(item);
  return row.expiresAt !== undefined && row.expiresAt <= seconds() ? undefined : row;
}

export const toInfo = (row: Row, likes: number): Info => Info.parse({ ...row, likes });

/** Every change of a row passes here: it counts versions. */
export const change = ({ id, set, ...change }: Omit<Dynamo.Update, "key"> & { id: ImageId }) =>
  Dynamo.update({
    ...change,
    key: key(id),
    set: { ...set, updatedAt: new Date().toISOString() },
    add: { version: 1 },
  });

export const seconds = () => Math.floor(Date.now() / 1000);
