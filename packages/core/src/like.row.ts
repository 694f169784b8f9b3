import { createHash } from "node:crypto";

import type * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";

/** A popular image takes 8 × 1,000 likes a second: DynamoDB limits each partition to 1,000 writes a second. */
export const SHARD_COUNT = 8;
export const SHARD_NUMBERS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);

/** The key of a user's like of an image. It is always the same one, so that the like exists once or not at all. */
export const key = (imageId: ImageId, userId: string): Dynamo.Key => ({
  pk: partition(imageId, shardOf(userId)),
  sk: `USER#${userId}`,
});

/** The partition of one shard of an image's likes, in the table and in the index `gsi2`. */
export const partition = (imageId: ImageId, shard: number) => `LIKE#${imageId}#${shard}`;

/** The partition of a user's likes in the index `gsi1`. */
export const likerKey = (userId: string) => `LIKER#${userId}`;

/** The item of a like. `gsi1` lists the likes of a user, `gsi2` the likes of a shard of an image, both by time (`likedAt`, ISO 8601). */
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

/** The image and the shard that a partition key of a like names; undefined for the key of any other row. */
export function parsePartition(pk: string): { imageId: ImageId; shard: number } | undefined {
  const [noun, imageId, shard] = pk.split("#");
  return noun === "LIKE" ? { imageId: imageId as ImageId, shard: Number(shard) } : undefined;
}

/** The query for all likes of one shard of an image, strongly consistent. */
export const shardQuery = (imageId: ImageId, shard: number): Dynamo.Query => ({
  keyCondition: "#pk = :pk",
  values: { pk: partition(imageId, shard) },
  isConsistent: true,
});

const shardOf = (userId: string) => createHash("sha256").update(userId).digest()[0]! % SHARD_COUNT;
