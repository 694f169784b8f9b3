import { createHash } from "node:crypto";

import type * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";

/** A hot picture takes 8 × 1,000 likes a second: that many a partition of DynamoDB writes, whatever is paid. */
export const SHARDS = 8;
export const shards = Array.from({ length: SHARDS }, (_, shard) => shard);

/** A person's like of an image is always in the same place, so it is there once or not at all. */
export const key = (imageId: ImageId, userId: string): Dynamo.Key => ({
  pk: partition(imageId, shardOf(userId)),
  sk: `USER#${userId}`,
});

export const partition = (imageId: ImageId, shard: number) => `LIKE#${imageId}#${shard}`;

export const likerKey = (userId: string) => `LIKER#${userId}`;

/** Two indexes: what a person likes, and who likes an image, both by time. */
export const item = (imageId: ImageId, userId: string, likedAt: string) => ({
  ...key(imageId, userId),
  imageId,
  userId,
  likedAt,
  gsi1pk: likerKey(userId),
  gsi1sk: `${likedAt}#${imageId}`,
  gsi2pk: partition(imageId, shardOf(userId)),
  gsi2sk: `${likedAt}#${userId}`,
});

/** Which image and which part of its likes a row of the table belongs to; undefined for every other row. */
export function parsePartition(pk: string): { imageId: ImageId; shard: number } | undefined {
  const [noun, imageId, shard] = pk.split("#");
  return noun === "LIKE" ? { imageId: imageId as ImageId, shard: Number(shard) } : undefined;
}

/** All likes of one shard, as a condition of a query. */
export const inShard = (imageId: ImageId, shard: number): Dynamo.Query => ({
  when: "#pk = :pk",
  values: { pk: partition(imageId, shard) },
  isConsistent: true,
});

const shardOf = (userId: string) => createHash("sha256").update(userId).digest()[0]! % SHARDS;
