import * as z from "zod/mini";

import * as Dynamo from "./dynamo.ts";
import { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as LikeRow from "./like.row.ts";

// Each like is a row. How many there are is stored beside the image, by the function that reads the table's stream:
// docs/adr/0007-likes-from-the-stream.md

/** One change in the table's stream: a like that was put (+1) or deleted (-1). */
export type Change = {
  imageId: ImageId;
  shard: number;
  /** The stream's number of the change, decimal, up to 40 digits. */
  sequenceNumber: string;
  delta: 1 | -1;
};

/** The rows of a shard are counted if it has fewer likes than this: one request, at most about 100 read units. */
const MAX_COUNTED_LIKES = 1_000;
/** How often a write of the count is repeated when another process wrote it in the meantime. */
const MAX_WRITE_ATTEMPTS = 8;

/** The stored numbers of likes, by image id. An image without a stored count (it was never `ready`, or is erased) is left out. At most 100 ids. */
export async function getMany(ids: ImageId[]): Promise<Map<ImageId, number>> {
  if (ids.length === 0) return new Map();
  const items = (await Dynamo.getMany(ids.map(key))).map((item) => Count.parse(item));
  return new Map(items.map(({ imageId, likes }) => [imageId, likes]));
}

/** The put of a count of 0, for the transaction that makes the image ready. Its condition is that there is none. Without this row the likes of an image are not counted: it exists from `ready` until the image is erased. */
export const creation = (imageId: ImageId): Dynamo.Put => ({
  item: { ...key(imageId), imageId, likes: 0, version: 0, shards: {} } satisfies Dynamo.Key & Count,
  condition: "attribute_not_exists(#pk)",
});

/** Removes the count of an image that is erased. */
export const remove = (imageId: ImageId): Promise<boolean> => Dynamo.remove({ key: key(imageId) });

/**
 * Brings the stored counts up to date with changes of the stream. Returns the changes that it could not apply, of which the
 * reason is logged. To apply a change again does no harm.
 */
export async function applyChanges(changes: Change[]): Promise<Change[]> {
  const byImage = Object.values(Object.groupBy(changes, ({ imageId }) => imageId));
  const failed = await Promise.all(
    byImage.map(async (ofImage = []) => {
      const { imageId } = ofImage[0]!;
      try {
        await updateCount(imageId, ofImage);
        return [];
      } catch (error) {
        console.error({ message: "The likes of an image were not counted", imageId, error });
        return ofImage;
      }
    }),
  );
  return failed.flat();
}

async function updateCount(imageId: ImageId, changes: Change[], attempt = 1): Promise<void> {
  const count = parse(await Dynamo.get(key(imageId)));
  // the image is erased: its likes are being removed, and their number is not needed
  if (!count) return;
  const shards = { ...count.shards };
  for (const [shard, ofShard = []] of Object.entries(Object.groupBy(changes, ({ shard }) => shard)))
    shards[shard] = addChanges(ofShard, shards[shard]);
  // while few people click, the rows themselves are counted, which makes good a change that the stream has lost
  const [only, ...others] = changes;
  const shard = shards[only!.shard]!;
  if (others.length === 0 && shard.likes < MAX_COUNTED_LIKES)
    shard.likes = await Dynamo.count(LikeRow.shardQuery(imageId, only!.shard));
  const likes = Object.values(shards).reduce((sum, shard) => sum + shard.likes, 0);
  // `version` was read before the rows were counted. If it is still the stored one, this number is newer than every stored
  // one, so that an older number never replaces a newer one.
  const isWritten = await Dynamo.put({
    item: { ...key(imageId), ...count, likes, shards, version: count.version + 1 },
    condition: "#version = :version",
    values: { version: count.version },
  });
  if (isWritten) return;
  if (attempt === MAX_WRITE_ATTEMPTS)
    throw new Error(
      `Another process wrote the count of ${imageId} during each of ${attempt} attempts`,
    );
  await updateCount(imageId, changes, attempt + 1);
}

/** The shard with every change added that is not in it yet. */
function addChanges(
  changes: Change[],
  before: Shard = { likes: 0, sum: 0, sequenceNumber: "" },
): Shard {
  const bySequenceNumber = new Map(
    changes.map(({ sequenceNumber, delta }) => [padded(sequenceNumber), delta]),
  );
  let { sum, sequenceNumber } = before;
  for (const [number, delta] of bySequenceNumber) {
    if (number <= before.sequenceNumber) continue;
    sum += delta;
    if (number > sequenceNumber) sequenceNumber = number;
  }
  return { likes: Math.max(0, sum), sum, sequenceNumber };
}

/** The count of an item of the table. */
export const parse = (item: Dynamo.Item | undefined): Count | undefined =>
  item && Count.parse(item);

/** The key of the row with an image's count. */
export const key = (imageId: ImageId): Dynamo.Key => ({
  pk: ImageRow.partition(imageId),
  sk: "COUNT",
});

/** Sequence numbers are compared as text of one length: they have up to 40 digits, a number of DynamoDB has 38. */
const padded = (sequenceNumber: string) => sequenceNumber.padStart(40, "0");

type Shard = z.infer<typeof Shard>;
const Shard = z.object({
  /** The number of likes of this shard: `sum`, or the number of its rows. */
  likes: z.int(),
  /** All changes of the stream added up, each once. */
  sum: z.int(),
  /** Of the last change in `sum`, padded. DynamoDB's stream has the changes of one partition in order. */
  sequenceNumber: z.string(),
});

export type Count = z.infer<typeof Count>;
const Count = z.object({
  imageId: ImageId,
  /** The sum of all shards. */
  likes: z.int(),
  /** The number of writes. */
  version: z.int(),
  shards: z.record(z.string(), Shard),
});
