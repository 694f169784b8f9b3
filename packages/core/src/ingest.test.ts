import { array, assert, asyncProperty, constantFrom, shuffledSubarray, tuple } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, found, pendingImage, readyImage } from "../test/samples.ts";
import * as Erase from "./erase.ts";
import * as Dynamo from "./dynamo.ts";
import * as ImageName from "./image-name.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as LikeRow from "./like.row.ts";
import * as Like from "./like.ts";
import * as Upload from "./upload.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const reason = { code: "image.truncated", detail: "It ends too early" };

test("an image goes from pending to ready, and everyone sees what was found out", async () => {
  const { id } = await pendingImage({ name: "ready.jpg" });
  const event = { id, sequencer: "0055" };
  const image = (await Ingest.startProcessing(event))!;
  expect(image).toMatchObject({ id, name: "ready.jpg" });
  expect(await Image.get(id)).toMatchObject({ state: "processing" });
  const { rungs, hasAlpha: _, pages: __, credit: ___, ...shown } = found;
  expect(await Ingest.markReady(event, image, found)).toMatchObject({ state: "ready", rungs });
  expect(await Image.get(id)).toMatchObject({ state: "ready", likes: 0, ...shown });
  expect(await Image.findRow(id)).not.toHaveProperty("expiresAt");
});

test("an event that comes again has nothing to do when its image is ready, and starts again before", async () => {
  const { id } = await pendingImage();
  const event = { id, sequencer: "0A" };
  const image = (await Ingest.startProcessing(event))!;
  expect(await Ingest.startProcessing(event)).toBeDefined();
  // the row has a later version by now
  expect(await Ingest.markReady(event, image, found)).toMatchObject({ state: "ready" });
  expect(await Ingest.startProcessing(event)).toBeUndefined();
  expect(await Image.get(id)).toMatchObject({ state: "ready" });
});

test("the latest upload of an image wins, in whatever order and however often the events come", () => {
  const sequencers = ["0055AED6DCD90281E5", "0055AED6DCD90281E6", "0055AED6DCD90281E61", "0056"];
  const events = tuple(
    shuffledSubarray(sequencers, { minLength: 1 }),
    array(constantFrom(...sequencers), { maxLength: 4 }),
  );
  return assert(
    asyncProperty(events, async ([some, again]) => {
      const { id } = await pendingImage();
      const all = [...some, ...again];
      const latest = all.toSorted().at(-1)!;
      const revOf = (sequencer: string) => `00000000000${sequencers.indexOf(sequencer)}`;
      // all start before any of them ends, and end in the order in which they started
      const started: [sequencer: string, image: Ingest.Image][] = [];
      for (const sequencer of all) {
        const image = await Ingest.startProcessing({ id, sequencer });
        if (image) started.push([sequencer, image]);
      }
      for (const [sequencer, image] of started)
        await Ingest.markReady({ id, sequencer }, image, { ...found, rev: revOf(sequencer) });
      expect(await Image.get(id)).toMatchObject({ state: "ready", rev: revOf(latest) });
    }),
    { numRuns: 10 },
  );
});

test("an upload that was overtaken does not make the image ready", async () => {
  const { id } = await pendingImage();
  const [slow, quick] = [
    { id, sequencer: "01" },
    { id, sequencer: "02" },
  ];
  const slowImage = (await Ingest.startProcessing(slow))!;
  const quickImage = (await Ingest.startProcessing(quick))!;
  await Ingest.markReady(quick, quickImage, found);
  expect(await Ingest.markReady(slow, slowImage, { ...found, rev: "aaaaaaaaaaaa" })).toBe(
    undefined,
  );
  expect(await Ingest.markRejected(slow, slowImage, reason)).toBeUndefined();
  expect(await Image.get(id)).toMatchObject({ state: "ready", rev: found.rev });
});

test("an image that its owner does not change becomes ready without being read, and is read again after a change", async () => {
  const { id } = await pendingImage();
  const event = { id, sequencer: "01" };
  const image = (await Ingest.startProcessing(event))!;
  await as("ann", () => Image.update({ id, visibility: "private" }));
  const changed = await cloud.tableRequests(() => Ingest.markReady(event, image, found));
  expect(changed).toContain("GetItem");
  expect(await Image.findRow(id)).toMatchObject({ state: "ready", visibility: "private" });

  const other = await pendingImage();
  const otherEvent = { id: other.id, sequencer: "01" };
  const otherImage = (await Ingest.startProcessing(otherEvent))!;
  const unchanged = await cloud.tableRequests(() =>
    Ingest.markReady(otherEvent, otherImage, found),
  );
  // the row, the usage of the owner and the count of likes together
  expect(unchanged).toEqual(["TransactWriteItems"]);
});

test("a rejected image has a reason, and another upload of it may become ready", async () => {
  const { id } = await pendingImage();
  const rejecting = (await Ingest.startProcessing({ id, sequencer: "01" }))!;
  await Ingest.markRejected({ id, sequencer: "01" }, rejecting, reason);
  expect(await Image.get(id)).toMatchObject({ state: "rejected", reason });
  // the same event again changes nothing
  expect(await Ingest.startProcessing({ id, sequencer: "01" })).toBeUndefined();

  const event = { id, sequencer: "02" };
  const image = (await Ingest.startProcessing(event))!;
  await Ingest.markReady(event, image, found);
  const { state, reason: none } = await Image.get(id);
  expect([state, none]).toEqual(["ready", undefined]);
});

test("an image that is deleted while it is processed does not become ready", async () => {
  const { id } = await pendingImage();
  const event = { id, sequencer: "01" };
  const image = (await Ingest.startProcessing(event))!;
  await as("ann", () => Image.remove(id));
  expect(await Ingest.markReady(event, image, found)).toBeUndefined();
  expect(await Ingest.startProcessing({ id, sequencer: "02" })).toBeUndefined();
  expect(await Ingest.replaceFindings(id, found)).toBeUndefined();
  expect(await Ingest.readRow(id)).toMatchObject({ state: "deleted" });
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
});

test("the likes of a removed image are gone, also from the users' lists of liked images", async () => {
  const id = await readyImage();
  await Promise.all(["ann", "bo", "cy"].map((user) => as(user, () => Like.put(id))));
  await as("ann", () => Image.remove(id));
  await Erase.removeRows(id);
  await Erase.removeRows(id);
  for (const shard of LikeRow.SHARD_NUMBERS)
    expect(await Dynamo.count(LikeRow.shardQuery(id, shard))).toBe(0);
  expect((await as("bo", () => Like.listMine({ ids: [id] }))).items).toEqual([]);
});

test("a name that another image has cannot be claimed, and an own one any number of times", async () => {
  const { image } = await as("ann", () =>
    Upload.create({ name: "held.jpg", type: "image/jpeg", bytes: 1 }),
  );
  const row = (await Image.findRow(image.id))!;
  expect(await ImageName.claim("held.jpg", { ...row, id: "img_01KAJ0000000000000000000AA" })).toBe(
    false,
  );
  expect(await ImageName.claim("held.jpg", row)).toBe(true);
  expect(await ImageName.claim("held.jpg", row)).toBe(true);
});
