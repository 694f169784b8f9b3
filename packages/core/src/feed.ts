import { createHash } from "node:crypto";

import * as Dynamo from "./dynamo.ts";
import * as Id from "./id.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Pagination from "./pagination.ts";

// The feed: every ready public image, newest first, without one hot partition. The index `gsi2` has one partition for each
// day and shard, and the rows `FEED`/`DAY#…` list the days that have images.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-sharding.html

/** A partition takes 1,000 writes a second; four take more new images than ingest can prepare. */
const SHARD_COUNT = 4;

/** The attributes of an image's row that put it into the feed. */
export const attributes = (id: ImageId) => ({
  gsi2pk: partition(dayOf(id), shardOf(id)),
  gsi2sk: id,
});

/** The attributes to remove from an image's row to take it out of the feed. */
export const attributeNames = ["gsi2pk", "gsi2sk"] as const;

/** Adds the day of an image to the list of days: to be called before the image gets the feed's attributes. Safe to repeat. */
export const addDay = (id: ImageId): Promise<boolean> =>
  Dynamo.put({
    item: { ...listOfDays, sk: DAY_PREFIX + dayOf(id) },
    condition: `attribute_not_exists(#pk)`,
  });

type Range = {
  /** An image id: only older images are listed. undefined lists all. */
  before: string | undefined;
  /** How many items one request of each shard fetches. */
  pageSize: number;
};

/**
 * The images of the feed that are older than `before`, newest first. At the end of each day there is an entry without an
 * image, so that a page can end there.
 */
export async function* entriesBefore({
  before,
  pageSize,
}: Range): AsyncGenerator<Pagination.Entry<ImageRow.Row>, void> {
  const lastDay = before === undefined ? AFTER_ALL : dayOf(before as ImageId);
  const days = Dynamo.query({
    keyCondition: `#pk = :pk AND #sk <= :last`,
    values: { ...listOfDays, last: DAY_PREFIX + lastDay },
    newestFirst: true,
  });
  for await (const { sk } of days) {
    const day = String(sk).slice(DAY_PREFIX.length);
    const shards = Array.from({ length: SHARD_COUNT }, (_, shard) =>
      shardEntries(partition(day, shard), before ?? AFTER_ALL, pageSize),
    );
    yield* Pagination.mergeNewestFirst(shards);
    yield { position: Id.lowestAt("image", Date.parse(day)) };
  }
}

async function* shardEntries(
  gsi2pk: string,
  before: string,
  pageSize: number,
): AsyncGenerator<Pagination.Entry<ImageRow.Row>, void> {
  const items = Dynamo.query({
    index: "gsi2",
    keyCondition: `#gsi2pk = :gsi2pk AND #gsi2sk < :before`,
    values: { gsi2pk, before },
    newestFirst: true,
    pageSize,
  });
  for await (const item of items)
    yield { position: String(item["gsi2sk"]), item: ImageRow.parse(item) };
}

const listOfDays = { pk: "FEED" };
const DAY_PREFIX = "DAY#";
/** Sorts after every day and every id. */
const AFTER_ALL = "~";

const partition = (day: string, shard: number) => `FEED#${day}#${shard}`;

/** In UTC. */
const dayOf = (id: ImageId) =>
  new Date(Id.timestampMs(id)).toISOString().slice(0, "2026-11-21".length);

const shardOf = (id: ImageId) => createHash("sha256").update(id).digest()[0]! % SHARD_COUNT;
