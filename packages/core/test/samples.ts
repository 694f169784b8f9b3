import * as Actor from "../src/actor.ts";
import * as Clock from "../src/clock.ts";
import * as Dynamo from "../src/dynamo.ts";
import type { ImageId } from "../src/id.schema.ts";
import * as Ingest from "../src/ingest.ts";
import * as LikeCount from "../src/like-count.ts";
import * as LikeRow from "../src/like.row.ts";
import * as Upload from "../src/upload.ts";

/** Runs `body` as a signed-in user. */
export const as = <Result>(userId: string, body: () => Result) =>
  Actor.runAs({ type: "user", id: userId }, body);

/** What ingest finds out about an image. */
export const found: Ingest.Findings = {
  type: "image/jpeg",
  bytes: 1000,
  width: 640,
  height: 480,
  hasAlpha: false,
  pages: 1,
  rev: "0123456789ab",
  color: "#808080",
  thumbhash: "AAAA",
  credit: {},
  rungs: [],
};

type Description = Partial<Parameters<typeof Upload.create>[0]>;

/** A new image whose upload has not come yet. */
export const pendingImage = async (description: Description = {}, owner = "ann") =>
  (await as(owner, () => Upload.create({ type: "image/jpeg", bytes: 1000, ...description }))).image;

/** The id of a new image that is ready, and public unless the description says otherwise. */
export async function readyImage(description: Description = {}, owner = "ann") {
  const { id } = await pendingImage(description, owner);
  const event = { id, sequencer: "01" };
  const image = await Ingest.startProcessing(event);
  await Ingest.markReady(event, image!, found);
  return id;
}

/** Sets the TTL of a row to now, as if an upload, a reserved name or a stored response had expired. */
export const expire = (key: Dynamo.Key) =>
  Dynamo.update({ key, set: { expiresAt: Clock.nowSeconds() } });

/** Stores a count with 5,000 likes in each of the 8 shards, without their rows: so many are not counted by their rows. */
export async function storeLargeCount(imageId: ImageId) {
  const shard = { likes: 5_000, sum: 5_000, sequenceNumber: "" };
  const shards = Object.fromEntries(LikeRow.SHARD_NUMBERS.map((number) => [number, shard]));
  const count: LikeCount.Count = {
    imageId,
    likes: 5_000 * LikeRow.SHARD_COUNT,
    version: 1,
    shards,
  };
  await Dynamo.put({ item: { ...LikeCount.key(imageId), ...count } });
}

/** The change that the table's stream reports for a like of this user. */
export function likeChange(
  imageId: ImageId,
  userId: string,
  delta: 1 | -1,
  sequenceNumber: bigint,
): LikeCount.Change {
  const { shard } = LikeRow.parsePartition(LikeRow.key(imageId, userId).pk)!;
  return { imageId, shard, sequenceNumber: String(sequenceNumber), delta };
}
