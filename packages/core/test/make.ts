import * as Actor from "../src/actor.ts";
import * as Dynamo from "../src/dynamo.ts";
import type { ImageId } from "../src/id.schema.ts";
import * as Ingest from "../src/ingest.ts";
import * as LikeCount from "../src/like-count.ts";
import * as LikeRow from "../src/like.row.ts";
import * as Upload from "../src/upload.ts";

/** Does something in the name of a person. */
export const as = <Result>(id: string, body: () => Result) =>
  Actor.provide({ type: "user", id }, body);

export const found: Ingest.Found = {
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

type About = Partial<Parameters<typeof Upload.create>[0]>;

/** An image whose upload is still to come. */
export const pendingImage = async (about: About = {}, owner = "ann") =>
  (await as(owner, () => Upload.create({ type: "image/jpeg", bytes: 1000, ...about }))).image;

/** An image that everybody sees, unless it is private. */
export async function readyImage(about: About = {}, owner = "ann") {
  const { id } = await pendingImage(about, owner);
  await Ingest.begin({ id, sequencer: "01" });
  await Ingest.settle({ id, sequencer: "01" }, found);
  return id;
}

/** As if the day of an upload, or of the name that it reserved, were over. */
export const expire = (key: Dynamo.Key) =>
  Dynamo.update({ key, set: { expiresAt: Math.floor(Date.now() / 1000) } });

/** Writes down 5,000 likes in each shard. There are no rows for them: nobody will look until they are counted anew. */
export const pretendThousandsLike = (imageId: ImageId, countedAt = Date.now()) =>
  pretend(imageId, 40_000, countedAt);

/** As if so many had clicked a moment ago. */
export const pretendCrowd = (imageId: ImageId, likes: number, countedAt = Date.now()) =>
  pretend(imageId, likes, countedAt);

async function pretend(imageId: ImageId, n: number, countedAt: number) {
  const shard = { n: n / LikeRow.SHARDS, sequence: "", countedAt };
  const shards = Object.fromEntries(LikeRow.shards.map((number) => [number, shard]));
  await Dynamo.put({ item: { ...LikeCount.key(imageId), imageId, n, version: 1, shards } });
}
