import * as z from "zod/mini";

import * as Clock from "./clock.ts";
import type * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import type { ImageId } from "./id.schema.ts";

// One row per user says what the user has. It changes in one transaction with the row of the image that is the reason:
// docs/adr/0026-usage-in-one-row.md

/** An upload that has not come yet. `expiresAt` in seconds since 1970, as in the image's row. */
type OpenUpload = z.infer<typeof OpenUpload>;
const OpenUpload = z.object({
  /** As declared. */
  bytes: z.int(),
  expiresAt: z.int(),
  name: z.optional(z.string()),
});

export type Row = z.infer<typeof Row>;
export const Row = z.object({
  /** Images that are pending, processing or ready. */
  images: z.int(),
  /** The sum of `bytes` of the same images. */
  bytes: z.int(),
  /** The number of entries of `open` that have a name. */
  reservedNames: z.int(),
  /** The pending images, by id. An entry may have expired: it is removed when a limit is reached. */
  open: z.record(z.string(), OpenUpload),
  /** Ends of the leases of the slots that are used in ingest, in seconds since 1970, by slot. */
  working: z.record(z.string(), z.int()),
  /** The day in UTC that `signedUrls` counts, such as 2026-11-21. */
  signedDay: z.optional(z.string()),
  signedUrls: z.int(),
  /** ISO 8601: since when the account is being deleted (account.ts). Nothing can be added to it. */
  deletingAt: z.optional(z.string()),
});

/** Of a user who has nothing. */
export const EMPTY: Row = {
  images: 0,
  bytes: 0,
  reservedNames: 0,
  open: {},
  working: {},
  signedUrls: 0,
};

/** The key of a user's row. */
export const key = (userId: string): Dynamo.Key => ({ pk: PREFIX + userId, sk: "USAGE" });

/** The user whose row has this partition key; undefined for any other row. */
export const parsePartition = (pk: string): string | undefined =>
  pk.startsWith(PREFIX) ? pk.slice(PREFIX.length) : undefined;

const PREFIX = "USER#";

/** The row of an item of the table; undefined without one, and before the first change of its usage: an account that is being deleted may have the mark of that only. */
export const parse = (item: Dynamo.Item | undefined): Row | undefined =>
  item?.["images"] === undefined ? undefined : Row.parse(item);

/** True if the user of this item of the table is being deleted. An account that has never had an image has the mark only, which `parse` does not read. */
export const isDeleting = (item: Dynamo.Item | undefined): boolean =>
  item?.["deletingAt"] !== undefined;

/** The refusal `account.deleting` of whatever would add something to the account. */
export const accountIsDeleted = () =>
  new VisibleError(
    "conflict",
    "account.deleting",
    "This account is being deleted; nothing can be added to it",
  );

/** What a write of an image's row changes in its owner's row. */
export type Change = {
  /** The image is counted from now on, or (-1) not any more. */
  images?: 1 | -1;
  /** Added to the sum of bytes. */
  bytes?: number;
  /** The image waits for its upload. */
  open?: OpenUpload & { id: ImageId };
  /** The image does not wait any more. */
  close?: { id: ImageId; name?: string | undefined };
  /** The slot of ingest that is used from now on, or renewed. */
  takeSlot?: string;
  freeSlot?: string;
};

export type Limits = {
  images: number;
  bytes: number;
  openUploads: number;
  reservedNames: number;
  signedUrlsPerDay: number;
  ingestSlots: number;
};

/** The function of ingest ends after 90 seconds (infra/ingest.ts): nothing works any more when the lease of its slot ends. */
const SLOT_SECONDS = 100;

/** The update of the row. Its condition is that the row exists, that no limit is exceeded, and that an upload to close is open. */
export function update(userId: string, change: Change, limits: Limits): Dynamo.Update {
  const { images = 0, bytes = 0, open, close, takeSlot, freeSlot } = change;
  const names = (open?.name === undefined ? 0 : 1) - (close?.name === undefined ? 0 : 1);
  const conditions: [condition: string, values: Dynamo.Item][] = [
    ["attribute_exists(#images)", {}],
  ];
  if (images > 0)
    conditions.push([
      "attribute_not_exists(#deletingAt) AND #images < :maxImages AND #bytes <= :maxBytesBefore",
      { maxImages: limits.images, maxBytesBefore: limits.bytes - bytes },
    ]);
  if (open) conditions.push(["size(#open) < :maxOpen", { maxOpen: limits.openUploads }]);
  if (names > 0)
    conditions.push(["#reservedNames < :maxReserved", { maxReserved: limits.reservedNames }]);
  if (close) conditions.push([`attribute_exists(#open.#${close.id})`, {}]);
  if (takeSlot)
    conditions.push([
      `(size(#working) < :slots OR attribute_exists(#working.#${takeSlot}))`,
      { slots: limits.ingestSlots },
    ]);
  return {
    key: key(userId),
    set: {
      ...(open && { [`open.${open.id}`]: OpenUpload.parse(open) }),
      ...(takeSlot && { [`working.${takeSlot}`]: Clock.nowSeconds() + SLOT_SECONDS }),
    },
    remove: [...(close ? [`open.${close.id}`] : []), ...(freeSlot ? [`working.${freeSlot}`] : [])],
    add: { images, bytes, reservedNames: names },
    condition: conditions.map(([condition]) => condition).join(" AND "),
    values: Object.assign({}, ...conditions.map(([, values]) => values)),
  };
}

/** The row without what has expired: uploads that have not come, and leases of processes that were killed. */
export function withoutExpired(row: Row): Row {
  const now = Clock.nowSeconds();
  const [expired, open] = partition(row.open, ({ expiresAt }) => expiresAt <= now);
  const [, working] = partition(row.working, (end) => end <= now);
  return {
    ...row,
    images: row.images - expired.length,
    bytes: row.bytes - expired.reduce((sum, [, { bytes }]) => sum + bytes, 0),
    reservedNames: row.reservedNames - expired.filter(([, { name }]) => name !== undefined).length,
    open: Object.fromEntries(open),
    working: Object.fromEntries(working),
  };
}

/** The update that removes what has expired; undefined if there is nothing. Its condition is that the two maps are as they were read. */
export function prune(userId: string, row: Row): Dynamo.Update | undefined {
  const { images, bytes, reservedNames, open, working } = withoutExpired(row);
  const size = (map: object) => Object.keys(map).length;
  if (size(open) === size(row.open) && size(working) === size(row.working)) return undefined;
  return {
    key: key(userId),
    set: { open, working },
    add: {
      images: images - row.images,
      bytes: bytes - row.bytes,
      reservedNames: reservedNames - row.reservedNames,
    },
    condition: "#open = :openBefore AND #working = :workingBefore",
    values: { openBefore: row.open, workingBefore: row.working },
  };
}

function partition<Value>(map: Record<string, Value>, isFirst: (value: Value) => boolean) {
  const entries = Object.entries(map);
  return [
    entries.filter(([, value]) => isFirst(value)),
    entries.filter(([, value]) => !isFirst(value)),
  ] as const;
}
