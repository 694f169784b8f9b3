import { createHash } from "node:crypto";

import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Pagination from "./pagination.ts";

// The feed: every ready public image, newest first. It is one list over all time in a fixed number of partitions of the index
// `gsi2`, so a page costs the same number of requests, however many days have no image: docs/adr/0025-bounded-lists.md

/** A partition takes 1,000 writes a second; four take more new images than ingest can prepare. */
const SHARD_COUNT = 4;

/** The attributes of an image's row that put it into the feed. */
export const attributes = (id: ImageId) => ({ gsi2pk: partition(shardOf(id)), gsi2sk: id });

/** The attributes to remove from an image's row to take it out of the feed. */
export const attributeNames = ["gsi2pk", "gsi2sk"] as const;

/** The lists that are the feed together, for pages of `limit` images. Each read is one request to the table. */
export const sources = (limit: number): Pagination.Source<ImageRow.Row>[] =>
  Array.from({ length: SHARD_COUNT }, (_, shard) => async (before: string) => {
    const { items, reached } = await Dynamo.queryPage({
      index: "gsi2",
      keyCondition: `#gsi2pk = :gsi2pk AND #gsi2sk < :before`,
      values: { gsi2pk: partition(shard), before },
      newestFirst: true,
      pageSize: Pagination.entriesPerShard(limit, SHARD_COUNT),
    });
    const entries = items.map((item) => ({
      position: String(item["gsi2sk"]),
      item: ImageRow.parse(item),
    }));
    return { entries, reached };
  });

const partition = (shard: number) => `FEED#${shard}`;

const shardOf = (id: ImageId) => createHash("sha256").update(id).digest()[0]! % SHARD_COUNT;
