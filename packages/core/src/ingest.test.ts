import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { assert, asyncProperty, constantFrom, shuffledSubarray, tuple, array } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, found, pendingImage, readyImage } from "../test/samples.ts";
import * as Bucket from "./bucket.ts";
import * as Dynamo from "./dynamo.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as LikeRow from "./like.row.ts";
import * as Like from "./like.ts";
import * as ImageName from "./image-name.ts";
import * as ObjectKey from "./object-key.ts";
import * as Upload from "./upload.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const text = (content: string) => new TextEncoder().encode(content);
const type = "image/jpeg";
const rung = { width: 512, type } as const;

/** Everything in the bucket, old versions and markers too. */
async function stored(prefix = "") {
  const { Versions = [], DeleteMarkers = [] } = await cloud.s3.send(
    new ListObjectVersionsCommand({ Bucket: cloud.bucket, Prefix: prefix }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!);
}

/** Which object the bucket told of last. */
async function arrival(id: string) {
  const { sequencer, versionId: version } = (await cloud.eventOf(id)).Records[0].s3.object;
  return { sequencer, version };
}

test("an image goes from pending to ready, and everybody sees what was found out", async () => {
  const { id } = await pendingImage({ name: "ready.jpg" });
  expect(await Ingest.begin({ id, sequencer: "0055" })).toMatchObject({ id, name: "ready.jpg" });
  expect(await Image.get(id)).toMatchObject({ state: "processing" });
  const { rungs, hasAlpha: _, pages: __, credit: ___, ...seen } = found;
  expect(await Ingest.settle({ id, sequencer: "0055" }, found)).toMatchObject({ rungs });
  expect(await Image.get(id)).toMatchObject({ state: "ready", likes: 0, ...seen });
  expect(await Image.findRow(id)).not.toHaveProperty("expiresAt");
});

test("the same event again finds nothing to do when the work is done, and the same work when it is not", async () => {
  const { id } = await pendingImage();
  const upload = { id, sequencer: "0A" };
  expect(await Ingest.begin(upload)).toBeDefined();
  expect(await Ingest.begin(upload)).toBeDefined();
  await Ingest.settle(upload, found);
  expect(await Ingest.begin(upload)).toBeUndefined();
  expect(await Image.get(id)).toMatchObject({ state: "ready" });
});

test("L8: whatever order the events of several uploads come in, and however often, the latest one decides", () => {
  const sequencers = ["0055AED6DCD90281E5", "0055AED6DCD90281E6", "0055AED6DCD90281E61", "0056"];
  const events = tuple(
    shuffledSubarray(sequencers, { minLength: 1 }),
    array(constantFrom(...sequencers), { maxLength: 4 }),
  );
  return assert(
    asyncProperty(events, async ([some, again]) => {
      const { id } = await pendingImage();
      const came = [...some, ...again];
      const latest = came.toSorted().at(-1)!;
      const revOf = (sequencer: string) => `00000000000${sequencers.indexOf(sequencer)}`;
      // all begin before any of them ends, and end in the order of their beginning
      const begun = [];
      for (const sequencer of came)
        if (await Ingest.begin({ id, sequencer })) begun.push(sequencer);
      for (const sequencer of begun)
        await Ingest.settle({ id, sequencer }, { ...found, rev: revOf(sequencer) });
      expect(await Image.get(id)).toMatchObject({ state: "ready", rev: revOf(latest) });
    }),
    { numRuns: 10 },
  );
});

test("what an overtaken upload had stored is gone", async () => {
  const { id } = await pendingImage();
  await Ingest.begin({ id, sequencer: "01" });
  await Ingest.begin({ id, sequencer: "02" });
  const [slow, quick] = ["aaaaaaaaaaaa", "bbbbbbbbbbbb"];
  for (const rev of [slow, quick]) {
    await Bucket.put(ObjectKey.original(id, rev), text(rev), { type, createOnly: true });
    await Bucket.put(ObjectKey.rung(id, rev, rung), text(rev), { type });
  }
  await Ingest.settle({ id, sequencer: "02" }, { ...found, rev: quick });
  expect(await Ingest.settle({ id, sequencer: "01" }, { ...found, rev: slow })).toBeUndefined();
  expect((await stored()).filter((key) => key.includes(id))).toEqual([
    ObjectKey.rung(id, quick, rung),
    ObjectKey.original(id, quick),
  ]);
});

test("a rejected image says why, its upload is gone and its name is free", async () => {
  const { id } = await pendingImage({ name: "bad.jpg" });
  await Bucket.put(ObjectKey.upload(id), text("bad"), { type });
  const { version } = await arrival(id);
  const reason = { code: "image.not_an_image", detail: "This is text" };
  await Ingest.begin({ id, sequencer: "01" });
  await Ingest.reject({ id, sequencer: "01", version }, reason);
  expect(await Image.get(id)).toMatchObject({ state: "rejected", reason });
  expect(await stored(ObjectKey.upload(id))).toEqual([]);
  const { id: bos } = await pendingImage({ name: "bad.jpg" }, "bo");
  await ImageName.claim("bad.jpg", { id: bos, ownerId: "bo" });
  await Bucket.put(ObjectKey.named("bad.jpg"), text("bo's"), { type });

  // told again, it stays as it is and takes nobody's name away
  expect(await Ingest.begin({ id, sequencer: "01", version })).toBeUndefined();
  expect(String(await Bucket.read(ObjectKey.named("bad.jpg")))).toBe("bo's");
  await expect(pendingImage({ name: "bad.jpg" }, "cy")).rejects.toMatchObject({ kind: "conflict" });
});

test("a second try after a rejection may become ready", async () => {
  const { id } = await pendingImage();
  await Ingest.begin({ id, sequencer: "01" });
  await Ingest.reject({ id, sequencer: "01" }, { code: "image.truncated", detail: "It ends" });
  expect(await Ingest.begin({ id, sequencer: "02" })).toBeDefined();
  await Ingest.settle({ id, sequencer: "02" }, found);
  const image = await Image.get(id);
  expect(image.state).toBe("ready");
  expect(image.reason).toBeUndefined();
});

test("bytes that come after the image is ready go, and the image stays", async () => {
  const id = await readyImage();
  await Bucket.put(ObjectKey.upload(id), text("late"), { type });
  const { sequencer, version } = await arrival(id);
  expect(await Ingest.begin({ id, sequencer, version })).toBeUndefined();
  expect(await stored(ObjectKey.upload(id))).toEqual([]);
  expect(await Image.get(id)).toMatchObject({ state: "ready", rev: found.rev });
});

test("of a deleted image nothing remains but a tombstone, and no late event brings it back", async () => {
  const id = await readyImage({ name: "gone.jpg" });
  const image = (await Image.findRow(id))!;
  await ImageName.claim("gone.jpg", image);
  const neighbour = ObjectKey.named("gone.jpg.bak");
  const keys = [
    ObjectKey.upload(id),
    ObjectKey.original(id, found.rev),
    ObjectKey.rung(id, found.rev, rung),
    ObjectKey.derived(id, found.rev, "plan.webp"),
    ObjectKey.named("gone.jpg"),
    neighbour,
  ];
  for (const key of [...keys, ...keys]) await Bucket.put(key, text(key), { type });
  await Promise.all(["ann", "bo", "cy"].map((who) => as(who, () => Like.put(id))));

  await as("ann", () => Image.remove(id));
  await Ingest.erase(id);
  await Ingest.erase(id);

  expect((await stored()).filter((key) => key.includes(id))).toEqual([]);
  expect(new Set(await stored("images/gone"))).toEqual(new Set([neighbour]));
  for (const shard of LikeRow.SHARD_NUMBERS)
    expect(await Dynamo.count(LikeRow.shardQuery(id, shard))).toBe(0);
  expect((await as("bo", () => Like.listMine({ ids: [id] }))).items).toEqual([]);
  expect(await pendingImage({ name: "gone.jpg" }, "bo")).toMatchObject({ name: "gone.jpg" });

  await Bucket.put(ObjectKey.upload(id), text("late"), { type });
  const { sequencer, version } = await arrival(id);
  expect(await Ingest.begin({ id, sequencer, version })).toBeUndefined();
  expect(await stored(ObjectKey.upload(id))).toEqual([]);
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
});

test("an image that is deleted while it is prepared is not made ready, and leaves nothing", async () => {
  const { id } = await pendingImage({ name: "race.jpg" });
  const image = (await Ingest.begin({ id, sequencer: "01" }))!;
  await as("ann", () => Image.remove(id));
  await Ingest.erase(id);
  await ImageName.claim("race.jpg", image);
  await Bucket.put(ObjectKey.named("race.jpg"), text("x"), { type });
  await Bucket.put(ObjectKey.original(id, found.rev), text("x"), { type, createOnly: true });
  expect(await Ingest.settle({ id, sequencer: "01" }, found)).toBeUndefined();
  expect((await stored()).filter((key) => key.includes(id) || key.includes("race"))).toEqual([]);
  expect(await pendingImage({ name: "race.jpg" }, "bo")).toMatchObject({ name: "race.jpg" });
});

test("an image that nobody deleted cannot be erased", async () => {
  const id = await readyImage();
  await Bucket.put(ObjectKey.original(id, found.rev), text("x"), { type });
  await Ingest.erase(id);
  expect(await stored(ObjectKey.original(id, found.rev))).toHaveLength(1);
});

test("a name that somebody else holds by now is not published", async () => {
  const { image } = await as("ann", () => Upload.create({ name: "held.jpg", type, bytes: 1 }));
  const row = (await Image.findRow(image.id))!;
  expect(await ImageName.claim("held.jpg", { ...row, id: "img_01KAJ0000000000000000000AA" })).toBe(
    false,
  );
  expect(await ImageName.claim("held.jpg", row)).toBe(true);
  expect(await ImageName.claim("held.jpg", row)).toBe(true);
});
