import { createHash } from "node:crypto";

import * as Dynamo from "./dynamo.ts";
import * as Id from "./id.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Pagination from "./pagination.ts";

// Newest first without one hot partition: the index has a partition for each day and shard, and a list of the days on
// which there is anything. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-sharding.html

/** A partition takes 1,000 writes a second; four take more new pictures than ingest prepares. */
const SHARDS = 4;

/** What puts an image into the feed. */
export const attributes = (id: ImageId) => ({
  gsi2pk: partition(day(id), shard(id)),
  gsi2sk: id,
});

/** What is taken away from an image that leaves the feed. */
export const names = ["gsi2pk", "gsi2sk"] as const;

/** Before the first picture of a day is shown, its day must be on the list. */
export const openDay = (id: ImageId) =>
  Dynamo.put({ item: { ...days, sk: `DAY#${day(id)}` }, when: `attribute_not_exists(#pk)` });

type Walk = { before: string | undefined; pageSize: number };

/** Every image of the feed that is older than `before`. The end of a day is a step too, on which nothing is shown. */
export async function* walk({
  before,
  pageSize,
}: Walk): AsyncGenerator<Pagination.Step<ImageRow.Row>, void> {
  const last = before === undefined ? "DAY#~" : `DAY#${day(before as ImageId)}`;
  const filled = Dynamo.query({
    when: `#pk = :pk AND #sk <= :last`,
    values: { ...days, last },
    newestFirst: true,
  });
  for await (const { sk } of filled) {
    const date = String(sk).slice("DAY#".length);
    const shards = Array.from({ length: SHARDS }, (_, shard) =>
      walkShard(partition(date, shard), before ?? "~", pageSize),
    );
    yield* Pagination.merge(shards);
    yield { position: Id.lowest("image", Date.parse(date)) };
  }
}

async function* walkShard(
  gsi2pk: string,
  before: string,
  pageSize: number,
): AsyncGenerator<Pagination.Step<ImageRow.Row>, void> {
  const items = Dynamo.query({
    index: "gsi2",
    when: `#gsi2pk = :gsi2pk AND #gsi2sk < :before`,
    values: { gsi2pk, before },
    newestFirst: true,
    pageSize,
  });
  for await (const item of items)
    yield { position: String(item["gsi2sk"]), shown: ImageRow.parse(item) };
}

const days = { pk: "FEED" };

const partition = (date: string, shard: number) => `FEED#${date}#${shard}`;

const day = (id: ImageId) => new Date(Id.time(id)).toISOString().slice(0, "2026-11-21".length);

const shard = (id: ImageId) => createHash("sha256").update(id).digest()[0]! % SHARDS;
