import * as z from "zod/mini";

import * as Dynamo from "./dynamo.ts";
import { ImageId } from "./id.schema.ts";
import * as LikeRow from "./like.row.ts";

// Likes are rows; how many there are is written down beside the image by whoever reads the table's stream. ADR 0007 says
// why, and what the numbers are good for.

/** What the stream says about one row of a like. */
export type Change = {
  imageId: ImageId;
  shard: number;
  /** DynamoDB's number of the change, decimal, up to 40 digits. */
  sequence: string;
  by: 1 | -1;
};

/** Up to so many likes in a shard are counted anew each time: one call, about 100 read units. */
const COUNTED = 1_000;

/** A larger shard is counted anew when it has been so many milliseconds for each of its likes: 1,000 every 10 seconds, 100,000 every 17 minutes. Until then changes are added up. */
const MILLISECONDS_PER_LIKE = 10;

/** Six of eight shards in two seconds: from some five clicks a second on. */
const CROWD_SHARDS = 6;
const CROWD_MILLISECONDS = 2_000;

export async function of(ids: ImageId[]): Promise<Map<ImageId, number>> {
  if (ids.length === 0) return new Map();
  const items = (await Dynamo.getAll(ids.map(key))).map((item) => Count.parse(item));
  return new Map(items.map(({ imageId, n }) => [imageId, n]));
}

/** Without this row, likes are not counted: an image has it from `ready` until it is erased. */
export const open = (imageId: ImageId) =>
  Dynamo.put({
    item: { ...key(imageId), imageId, n: 0, version: 0, shards: {} } satisfies Dynamo.Key & Count,
    when: "attribute_not_exists(#pk)",
  });

export const close = (imageId: ImageId) => Dynamo.remove({ key: key(imageId) });

/**
 * How many people like an image after a click that changed `by`, when `before` was its count before the click. Counted
 * anew while few like it, one after the other; added to the last number, which is behind by what the stream has still to
 * tell, where many like it or many click at once.
 */
export async function after(imageId: ImageId, by: -1 | 0 | 1, before: Count | undefined) {
  // who clicks twice in a crowd may not be in the last number yet
  if (before && (before.n >= COUNTED || (by !== 0 && isCrowd(before)))) return before.n + by;
  const shards = await Promise.all(LikeRow.shards.map((shard) => countShard(imageId, shard)));
  return shards.reduce((sum, n) => sum + n, 0);
}

/** Most of the shards changed and were counted just now. Nobody can tell then what the number was at the moment of his click, and eight queries for each would keep the clicks behind it waiting. */
export function isCrowd({ shards }: Count) {
  const since = Date.now() - CROWD_MILLISECONDS;
  return Object.values(shards).filter(({ countedAt }) => countedAt > since).length >= CROWD_SHARDS;
}

/**
 * Brings the counts up to date with some changes, which may come twice, late or in any order. Answers the changes that
 * it could not work on; to repeat the others does no harm.
 */
export async function tally(changes: Change[]): Promise<Change[]> {
  const byImage = Object.values(Object.groupBy(changes, ({ imageId }) => imageId));
  const failed = await Promise.all(
    byImage.map(async (ofImage = []) => {
      try {
        await tallyImage(ofImage[0]!.imageId, ofImage);
        return [];
      } catch (error) {
        console.error({ message: "likes were not counted", imageId: ofImage[0]!.imageId, error });
        return ofImage;
      }
    }),
  );
  return failed.flat();
}

async function tallyImage(imageId: ImageId, changes: Change[], attempts = 8): Promise<void> {
  const count = await find(imageId);
  // erased: its likes are being removed, and nobody asks how many are left
  if (!count) return;
  const touched = Object.entries(Object.groupBy(changes, ({ shard }) => shard));
  const shards = { ...count.shards };
  await Promise.all(
    touched.map(async ([shard, ofShard = []]) => {
      shards[shard] = await tallyShard(imageId, Number(shard), ofShard, count.shards[shard]);
    }),
  );
  const n = Object.values(shards).reduce((sum, shard) => sum + shard.n, 0);
  // Whoever reads `version` before he counts and writes on that version only, counted after every earlier writer did:
  // an older number never overwrites a newer one.
  const isWritten = await Dynamo.put({
    item: { ...key(imageId), ...count, n, shards, version: count.version + 1 },
    when: "#version = :version",
    values: { version: count.version },
  });
  if (isWritten) return;
  if (attempts === 1) throw new Error(`the likes of ${imageId} are counted by too many at once`);
  await tallyImage(imageId, changes, attempts - 1);
}

async function tallyShard(
  imageId: ImageId,
  shard: number,
  changes: Change[],
  before: Shard = { n: 0, sequence: "", countedAt: 0 },
): Promise<Shard> {
  const bySequence = new Map(changes.map(({ sequence, by }) => [padded(sequence), by]));
  const fresh = [...bySequence].filter(([sequence]) => sequence > before.sequence);
  const sequence = fresh.reduce((last, [next]) => (next > last ? next : last), before.sequence);
  const now = Date.now();
  const isDue = now - before.countedAt >= before.n * MILLISECONDS_PER_LIKE;
  if (before.n < COUNTED || isDue)
    return { n: await countShard(imageId, shard), sequence, countedAt: now };
  const n = fresh.reduce((sum, [, by]) => sum + by, before.n);
  return { ...before, n: Math.max(0, n), sequence };
}

const countShard = (imageId: ImageId, shard: number) =>
  Dynamo.count(LikeRow.inShard(imageId, shard));

async function find(imageId: ImageId): Promise<Count | undefined> {
  return parse(await Dynamo.get(key(imageId)));
}

export const parse = (item: Dynamo.Item | undefined): Count | undefined =>
  item && Count.parse(item);

export const key = (imageId: ImageId) => ({ pk: `IMAGE#${imageId}`, sk: "COUNT" });

/** Compared as text; a number of DynamoDB has only 38 digits. */
const padded = (sequence: string) => sequence.padStart(40, "0");

type Shard = z.infer<typeof Shard>;
const Shard = z.object({
  n: z.int(),
  /** The last change that was added up. */
  sequence: z.string(),
  /** When the rows themselves were counted, in milliseconds. */
  countedAt: z.int(),
});

export type Count = z.infer<typeof Count>;
const Count = z.object({
  imageId: ImageId,
  n: z.int(),
  version: z.int(),
  shards: z.record(z.string(), Shard),
});
