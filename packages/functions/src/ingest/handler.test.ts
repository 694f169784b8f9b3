import { ListObjectVersionsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import * as Bucket from "@balde/core/bucket";
import * as Image from "@balde/core/image";
import * as ImageName from "@balde/core/image-name";
import * as Upload from "@balde/core/upload";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { endlessSvg } from "../../../imaging/test/hostile/svg.ts";
import { setLimits, startCloud } from "../../../core/test/cloud.ts";
import { as } from "../../../core/test/samples.ts";
import { sqsEvent } from "../../test/sqs-event.ts";
import { handler } from "./handler.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const OTHER_ID = "img_01KAJ0000000000000000000AA";

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "#336699" } });

/** Delivers messages as Lambda does; returns the indexes of those that will be delivered again. */
const deliver = (...bodies: unknown[]) => deliverWithin(90_000, ...bodies);

async function deliverWithin(milliseconds: number, ...bodies: unknown[]): Promise<number[]> {
  const end = performance.now() + milliseconds;
  const context = { getRemainingTimeInMillis: () => end - performance.now() };
  const event = sqsEvent(...bodies.map((body) => JSON.stringify(body)));
  const { batchItemFailures } = await handler(event, context);
  return batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
}

/** The id of a new image whose bytes are uploaded, and S3's event of the upload. */
async function upload(
  bytes: Buffer,
  description: Partial<Upload.Info> & Pick<Partial<Image.Info>, "name" | "visibility"> = {},
  owner = "ann",
) {
  const body = new Uint8Array(bytes);
  const image = await as(owner, () => Upload.receive({ type: "image/jpeg", ...description, body }));
  return { id: image.id, event: await cloud.eventOf(image.id) };
}

/** The command to bring the image's objects to what its row says. */
const sync = (imageId: string) => ({ kind: "sync", imageId });

/** The keys of all objects with this in it, with old versions and delete markers. */
async function stored(part: string) {
  const { Versions = [], DeleteMarkers = [] } = await cloud.s3.send(
    new ListObjectVersionsCommand({ Bucket: cloud.bucket }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!).filter((key) => key.includes(part));
}

test("an uploaded photograph becomes ready, with rungs and a named copy, and the upload is removed", async () => {
  const body = await plain(3000, 2000).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const { id, event } = await upload(body, { name: "ready.jpg" });
  expect(await deliver(event)).toEqual([]);

  const image = await Image.get(id);
  expect(image).toMatchObject({
    state: "ready",
    type: "image/jpeg",
    bytes: body.length,
    width: 2000,
    height: 3000,
    color: expect.stringMatching(/^#[0-9a-f]{6}$/),
    thumbhash: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
  });
  const { rungs = [] } = (await Image.findRow(id))!;
  expect(rungs.length).toBeGreaterThan(0);
  expect((await stored(id)).toSorted()).toEqual(
    [
      ...rungs.map(({ width, height }) => `ladder/${id}/${image.rev}/${width}x${height}.jpg`),
      `originals/${id}/${image.rev}`,
    ].toSorted(),
  );
  expect(body.equals((await Bucket.read(`originals/${id}/${image.rev}`))!)).toBe(true);
  const published = await sharp((await Bucket.read("images/ready.jpg"))!).metadata();
  expect(published).toMatchObject({ width: 2000, height: 3000 });
  expect(published.exif).toBeUndefined();
});

test("an event that comes several times, at once or later, has the effect of one", async () => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer(), { name: "two.jpg" });
  const failed = await Promise.all([deliver(event), deliver(event), deliver(event)]);
  expect(failed.flat()).toEqual([]);
  const before = await Image.get(id);
  expect(before.state).toBe("ready");
  expect(await deliver(event, event)).toEqual([]);
  expect(await Image.get(id)).toEqual(before);
  expect(await stored(`uploads/${id}`)).toEqual([]);
  // an original is never overwritten: there is one version of it
  expect(await stored(`originals/${id}`)).toHaveLength(1);
});

test.each([
  ["a text that is declared as JPEG", async () => Buffer.from("not an image"), /not/i],
  [
    "a truncated JPEG",
    async () => (await plain(800, 600).jpeg({ quality: 100 }).toBuffer()).subarray(0, 2_000),
    /end|trunc/i,
  ],
])("%s is rejected with the reason, and no object of it remains", async (_, bytes, why) => {
  const { id, event } = await upload(await bytes(), { name: "bad.jpg" });
  expect(await deliver(event)).toEqual([]);
  const image = await Image.get(id);
  expect(image).toMatchObject({
    state: "rejected",
    reason: { detail: expect.stringMatching(why) },
  });
  expect([...(await stored(id)), ...(await stored("bad.jpg"))]).toEqual([]);
  // the name is free for the next line of this table
});

test("an image that takes too long is rejected, and a message that has no time left is delivered again", async () => {
  const endless = endlessSvg();
  const slow = await upload(Buffer.from(endless), { type: "image/svg+xml" });
  const next = await upload(await plain(64, 64).jpeg().toBuffer());
  // 45 seconds are for reading and storing, so the image may take two
  expect(await deliverWithin(47_000, slow.event, next.event)).toEqual([1]);
  expect(await Image.get(slow.id)).toMatchObject({
    state: "rejected",
    reason: { code: "image.too_complex", detail: expect.stringMatching(/takes longer/) },
  });
  expect(await stored(slow.id)).toEqual([]);
  expect(await deliver(slow.event, next.event)).toEqual([]);
  expect((await Image.get(slow.id)).state).toBe("rejected");
  expect((await Image.get(next.id)).state).toBe("ready");
});

test("the content type of an image comes from its bytes, not from what was declared", async () => {
  const { id, event } = await upload(await plain(64, 64).png().toBuffer());
  await deliver(event);
  expect(await Image.get(id)).toMatchObject({ state: "ready", type: "image/png" });
});

test("of a batch, only the messages that failed are delivered again", async () => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer());
  const probe = { Service: "Amazon S3", Event: "s3:TestEvent", Bucket: cloud.bucket };
  const strange = { Records: [{ ...event.Records[0], s3: { object: { key: "uploads/../x" } } }] };
  expect(await deliver({ kind: "dance" }, probe, event, strange)).toEqual([0, 3]);
  expect(await Image.get(id)).toMatchObject({ state: "ready" });
});

test.each([
  "uploads/nonsense",
  "uploads/..%2Foriginals%2Fx",
  "uploads/a+b%F0%9F%90%9F",
  "images/x.jpg",
])("an object at %s is not an upload of an image, and is left alone", async (key) => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer());
  const [record] = event.Records;
  const elsewhere = { ...record, s3: { ...record!.s3, object: { ...record!.s3.object, key } } };
  expect(await deliver({ Records: [elsewhere] })).toEqual([]);
  expect(await Image.get(id)).toMatchObject({ state: "pending" });
});

test("a deleted image is erased, also when its upload comes later", async () => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer(), { name: "del.jpg" });
  await deliver(event);
  await as("ann", () => Image.remove(id));
  expect(await deliver(sync(id))).toEqual([]);
  expect([...(await stored(id)), ...(await stored("del.jpg"))]).toEqual([]);
  expect(await deliver(event)).toEqual([]);
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
});

test("an upload through PUT /s3 becomes an image of its owner, once", async () => {
  const key = "uploads/named/0f0e0d0c-0000-4000-8000-000000000000/image/jpeg/name/past.jpg";
  const body = await plain(64, 48).jpeg().toBuffer();
  const put = { Bucket: cloud.bucket, Key: key, Body: body };
  const owner = "0f0e0d0c-0000-4000-8000-000000000000";
  await cloud.s3.send(new PutObjectCommand({ ...put, Metadata: { owner } }));
  const event = await cloud.eventOf("named/");
  expect(await deliver(event, event)).toEqual([]);
  expect(await deliver(event)).toEqual([]);

  const { items } = await as(owner, () => Image.listMine({}));
  expect(items).toMatchObject([{ ownerId: owner, state: "ready", name: "past.jpg", width: 64 }]);
  expect(await stored("named/")).toEqual([]);
  expect(await Bucket.read("images/past.jpg")).toBeDefined();
});

test("an upload through PUT /s3 is ignored when its key names another owner than its metadata", async () => {
  const key = "uploads/named/bo/image/jpeg/name/theirs.jpg";
  const body = await plain(64, 48).jpeg().toBuffer();
  const put = { Bucket: cloud.bucket, Key: key, Body: body, Metadata: { owner: "me" } };
  await cloud.s3.send(new PutObjectCommand(put));
  expect(await deliver(await cloud.eventOf("named/bo"))).toEqual([]);
  const { items } = await as("bo", () => Image.listMine({}));
  expect(items).toEqual([]);
});

test("a reprocessed image has its rungs and its named copy again, and no derivative of the old ones", async () => {
  const body = await plain(3000, 2000).jpeg().toBuffer();
  const { id, event } = await upload(body, { name: "anew.jpg" });
  await deliver(event);
  const { rungs, ...before } = (await Image.findRow(id))!;
  const files = await stored(id);
  for (const { width, height } of rungs!)
    await Bucket.removeAllVersions(`ladder/${id}/${before.rev}/${width}x${height}.jpg`);
  await Bucket.removeAllVersions("images/anew.jpg");
  await Bucket.put(`derived/${id}/${before.rev}/x.webp`, body, { type: "image/webp" });

  expect(await deliver({ kind: "reprocess", imageId: id })).toEqual([]);
  const after = (await Image.findRow(id))!;
  expect(after.rungs).toEqual(rungs);
  expect([after.state, after.rev, after.version]).toEqual([
    "ready",
    before.rev,
    before.version + 1,
  ]);
  expect((await stored(id)).toSorted()).toEqual(files.toSorted());
  expect(await Bucket.read("images/anew.jpg")).toBeDefined();
});

test("an image that is not ready or was deleted is not reprocessed", async () => {
  const { id } = await upload(await plain(64, 64).jpeg().toBuffer());
  expect(await deliver({ kind: "reprocess", imageId: id })).toEqual([]);
  expect(await Image.get(id)).toMatchObject({ state: "pending" });
  await as("ann", () => Image.remove(id));
  expect(await deliver({ kind: "reprocess", imageId: id })).toEqual([]);
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
});

test("a private image keeps its name, and there is a copy under it only while the image is public", async () => {
  // large enough that the row changes while the pixels are prepared
  const { id, event } = await upload(await plain(3000, 2000).jpeg().toBuffer(), {
    name: "shy.jpg",
    visibility: "private",
  });
  expect(await deliver(event)).toEqual([]);
  expect((await Image.findRow(id))?.state).toBe("ready");
  const copies = () => stored("images/shy.jpg");
  expect(await copies()).toEqual([]);
  const other = as("bo", () => Upload.create({ type: "image/jpeg", bytes: 9, name: "shy.jpg" }));
  await expect(other).rejects.toMatchObject({ code: "name.taken" });

  const command = sync(id);
  const set = (visibility: "public" | "private") =>
    as("ann", () => Image.update({ id, visibility }));
  await set("public");
  expect(await deliver(command, command)).toEqual([]);
  const copy = await sharp((await Bucket.read("images/shy.jpg"))!).metadata();
  expect(copy).toMatchObject({ width: 3000, height: 2000 });
  await set("private");
  expect(await deliver(command)).toEqual([]);
  // no older version of it remains
  expect(await copies()).toEqual([]);

  // the slower of two commands does not undo what the later change of the row decided
  await set("public");
  const slow = deliver(command);
  await set("private");
  await Promise.all([slow, deliver(command)]);
  expect(await copies()).toEqual([]);
});

test("an image that is made private or deleted while it is processed leaves no copy under its name", async () => {
  const late = await upload(await plain(900, 700).jpeg().toBuffer(), { name: "late.jpg" });
  const preparing = deliver(late.event);
  await as("ann", () => Image.update({ id: late.id, visibility: "private" }));
  await preparing;
  expect(await stored("images/late.jpg")).toEqual([]);

  await as("ann", () => Image.update({ id: late.id, visibility: "public" }));
  const syncing = deliver(sync(late.id));
  await as("ann", () => Image.remove(late.id));
  await Promise.all([syncing, deliver(sync(late.id))]);
  expect(await deliver(sync(late.id))).toEqual([]);
  expect(await stored(late.id)).toEqual([]);
  expect(await stored("images/late.jpg")).toEqual([]);
  await as("bo", () => Upload.create({ type: "image/jpeg", bytes: 9, name: "late.jpg" }));
});

test("a named copy that an interrupted attempt left of a private or deleted image is removed by the next attempt", async () => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer(), { name: "left.jpg" });
  await deliver(event);
  await as("ann", () => Image.update({ id, visibility: "private" }));
  const row = (await Image.findRow(id))!;
  const leaveCopy = async () => {
    await ImageName.claim("left.jpg", row);
    const metadata = { image: id, rev: row.rev! };
    await Bucket.put("images/left.jpg", Buffer.from("left"), { type: "image/jpeg", metadata });
  };
  for (const message of [event, { kind: "reprocess", imageId: id }]) {
    await leaveCopy();
    expect(await deliver(message)).toEqual([]);
    expect(await stored("left.jpg")).toEqual([]);
  }
  await as("ann", () => Image.remove(id));
  await deliver(sync(id));
  await leaveCopy();
  expect(await deliver({ kind: "reprocess", imageId: id })).toEqual([]);
  expect(await stored("left.jpg")).toEqual([]);
  // the name is free again
  expect(await ImageName.claim("left.jpg", { id: OTHER_ID, ownerId: "bo" })).toBe(true);
});

test("of two uploads of one image the later one wins, and no object of the other remains", async () => {
  const first = await plain(64, 64).jpeg().toBuffer();
  const { id, event } = await upload(first);
  const second = await plain(96, 64).jpeg().toBuffer();
  await Bucket.put(`uploads/${id}`, second, { type: "image/jpeg" });
  const later = await cloud.eventOf(id);
  expect(later).not.toEqual(event);
  expect((await Promise.all([deliver(event), deliver(later), deliver(event)])).flat()).toEqual([]);
  const image = await Image.get(id);
  expect(image).toMatchObject({ state: "ready", width: 96, bytes: second.length });
  expect(await stored(id)).toEqual([`originals/${id}/${image.rev}`]);
});

test("bytes that are uploaded after the image is ready are removed, and the image stays as it is", async () => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer());
  await deliver(event);
  const before = await Image.get(id);
  await Bucket.put(`uploads/${id}`, Buffer.from("late"), { type: "image/jpeg" });
  expect(await deliver(await cloud.eventOf(id))).toEqual([]);
  expect(await Image.get(id)).toEqual(before);
  expect(await stored(`uploads/${id}`)).toEqual([]);
});

test("each message costs few requests to the table, and the row is not read again while it is unchanged", async () => {
  const { id, event } = await upload(await plain(64, 64).jpeg().toBuffer(), { name: "cost.jpg" });
  const requests = (message: unknown) => cloud.tableRequests(() => deliver(message));
  const [readRow, readAgain] = Array(2).fill("GetItem");
  const [startProcessing, markReady, markRejected] = Array(3).fill("TransactWriteItems");
  const claimName = "PutItem";
  const readVisibility = "GetItem";
  expect(await requests(event)).toEqual([
    readRow,
    startProcessing,
    readVisibility,
    claimName,
    markReady,
  ]);
  expect(await requests(sync(id))).toEqual([readRow, readAgain]);
  // there is nothing to do; then as after any command
  expect(await requests(event)).toEqual([readRow, readAgain, readRow, readAgain]);
  const [takeSlot, freeSlot] = ["TransactWriteItems", "UpdateItem"];
  expect(await requests({ kind: "reprocess", imageId: id })).toEqual([
    readRow,
    takeSlot,
    freeSlot,
    claimName,
    "UpdateItem",
    readRow,
    readAgain,
  ]);
  // read before and after the copy is stored: nothing is written to the row
  await Bucket.removeAllVersions("images/cost.jpg");
  expect(await requests(sync(id))).toEqual([readRow, takeSlot, freeSlot, claimName, readAgain]);
  const text = await upload(Buffer.from("not an image"), { name: "cost-2.jpg" });
  expect(await requests(text.event)).toEqual([
    readRow,
    startProcessing,
    markRejected,
    "DeleteItem",
  ]);
});

/** The S3 events that were sent again because their owner was busy, each with how often. */
const postponedEvents = async () =>
  (await cloud.messages()).filter((body) => (body as { postponed?: number }).postponed);

test("while an owner uses its share, its messages wait without a failure and those of others go on", async () => {
  setLimits({ ingestSlots: 2 });
  const jpeg = await plain(3000, 2000).jpeg().toBuffer();
  const heavy: Awaited<ReturnType<typeof upload>>[] = [];
  for (let count = 0; count < 6; count++) heavy.push(await upload(jpeg, {}, "heavy"));
  const light = await upload(await plain(64, 64).jpeg().toBuffer(), {}, "light");
  const statesNow = () => Promise.all(heavy.map(async ({ id }) => (await Image.get(id)).state));

  // as many processes as there are messages: four of the first owner's end at once
  const all = [...heavy, light].map(async ({ event }) => deliver(event));
  expect((await Promise.all(all)).flat()).toEqual([]);
  expect((await statesNow()).toSorted()).toEqual([
    ...Array(4).fill("pending"),
    ...Array(2).fill("ready"),
  ]);
  expect((await Image.get(light.id)).state).toBe("ready");

  // they come again after seconds, until each has had its turn
  let delivered = 0;
  while ((await statesNow()).includes("pending")) {
    const events = await postponedEvents();
    const arrived = events.slice(delivered);
    delivered = events.length;
    expect((await Promise.all(arrived.map((event) => deliver(event)))).flat()).toEqual([]);
    await new Promise((resolve) => void setTimeout(resolve, 200));
  }
  expect(new Set(await statesNow())).toEqual(new Set(["ready"]));
}, 60_000);

test("the copies of an owner's images that are made public wait for its share, too", async () => {
  const { id, event } = await upload(
    await plain(64, 64).jpeg().toBuffer(),
    { name: "share.jpg", visibility: "private" },
    "busy",
  );
  await deliver(event);
  await as("busy", () => Image.update({ id, visibility: "public" }));
  setLimits({ ingestSlots: 0 });
  for (const message of [sync(id), { kind: "reprocess", imageId: id }])
    expect(await deliver(message)).toEqual([]);
  expect(await stored("images/share.jpg")).toEqual([]);
  // hiding waits for nothing
  await as("busy", () => Image.update({ id, visibility: "private" }));
  expect(await deliver(sync(id))).toEqual([]);
});

test("a form is worked on once per change of its bytes, and a rejected one is not tried again for nothing", async () => {
  const text = Buffer.from("not an image");
  const { id, event } = await upload(text);
  const post = async (bytes: Buffer) => {
    await Bucket.put(`uploads/${id}`, bytes, { type: "image/jpeg" });
    return cloud.eventOf(id);
  };
  // posted six times before ingest comes to it
  const events = [event];
  while (events.length < 6) events.push(await post(text));
  for (const each of events) expect(await deliver(each)).toEqual([]);
  const rejected = (await Image.findRow(id))!;
  expect(rejected).toMatchObject({ state: "rejected", attempts: 1 });
  expect(await deliver(await post(text))).toEqual([]);
  expect(await Image.findRow(id)).toEqual(rejected);
  expect(await stored(id)).toEqual([]);
  // other bytes may be an image
  expect(await deliver(await post(await plain(64, 64).jpeg().toBuffer()))).toEqual([]);
  expect(await Image.findRow(id)).toMatchObject({ state: "ready", attempts: 2 });
});

test("an upload through PUT /s3 over the limit of images is rejected with that reason, and removed", async () => {
  setLimits({ images: 1 });
  const owner = "0f0e0d0c-0000-4000-8000-000000000001";
  const body = await plain(64, 48).jpeg().toBuffer();
  for (const name of ["within.jpg", "over.jpg"]) {
    const key = `uploads/named/${owner}/image/jpeg/name/${name}`;
    const put = { Bucket: cloud.bucket, Key: key, Body: body, Metadata: { owner } };
    await cloud.s3.send(new PutObjectCommand(put));
    const event = await cloud.eventOf(`named/${owner}/image/jpeg/name/${name}`);
    expect(await deliver(event, event)).toEqual([]);
  }
  const { items } = await as(owner, () => Image.listMine({}));
  expect(items.map(({ name, state, reason }) => [name, state, reason?.code])).toEqual([
    ["over.jpg", "rejected", "quota.images"],
    ["within.jpg", "ready", undefined],
  ]);
  expect(await stored(owner)).toEqual([]);
});

test("an attempt that fails frees its slot", async () => {
  setLimits({ ingestSlots: 1 });
  const jpeg = await plain(64, 64).jpeg().toBuffer();
  const failing = await upload(jpeg, {}, "unlucky");
  const next = await upload(jpeg, {}, "unlucky");
  const s3 = process.env["AWS_ENDPOINT_URL_S3"]!;
  process.env["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:1";
  try {
    expect(await deliver(failing.event)).toEqual([0]);
  } finally {
    process.env["AWS_ENDPOINT_URL_S3"] = s3;
  }
  expect(await deliver(next.event, failing.event)).toEqual([]);
  expect((await Image.get(next.id)).state).toBe("ready");
  expect((await Image.get(failing.id)).state).toBe("ready");
});

test("publishing an image that would be refused today keeps it ready, and its message is not tried again", async () => {
  const { id, event } = await upload(await plain(40, 30).jpeg().toBuffer(), {
    name: "old.jpg",
    visibility: "private",
  });
  expect(await deliver(event)).toEqual([]);
  // accepted by the rules of its time
  const { rev } = (await Image.findRow(id))!;
  await Bucket.put(`originals/${id}/${rev}`, Buffer.from("bytes of another kind"), {
    type: "image/jpeg",
  });
  await as("ann", () => Image.update({ id, visibility: "public" }));
  expect(await deliver(sync(id))).toEqual([]);
  expect(await Image.get(id)).toMatchObject({ state: "ready", visibility: "public" });
  expect(await stored("images/old.jpg")).toEqual([]);
});
