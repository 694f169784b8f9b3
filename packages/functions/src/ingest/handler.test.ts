import { ListObjectVersionsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import * as Bucket from "@balde/core/bucket";
import * as Image from "@balde/core/image";
import * as Upload from "@balde/core/upload";
import type { SQSEvent } from "aws-lambda";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as } from "../../../core/test/samples.ts";
import { handler } from "./handler.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "#336699" } });

/** Messages of the queue as Lambda hands them out; answers which of them come again. */
const deliver = (...bodies: unknown[]) => deliverWithin(60_000, ...bodies);

async function deliverWithin(milliseconds: number, ...bodies: unknown[]): Promise<number[]> {
  const end = performance.now() + milliseconds;
  const context = { getRemainingTimeInMillis: () => end - performance.now() };
  const Records = bodies.map((body, index) => ({
    messageId: String(index),
    body: JSON.stringify(body),
  }));
  const { batchItemFailures } = await handler({ Records } as SQSEvent, context);
  return batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
}

/** Puts the bytes where a form would, and answers the image and the bucket's event. */
async function upload(
  bytes: Buffer,
  about: Partial<Upload.Info> & Pick<Partial<Image.Info>, "name" | "visibility"> = {},
) {
  const body = new Uint8Array(bytes);
  const image = await as("ann", () => Upload.receive({ type: "image/jpeg", ...about, body }));
  return { id: image.id, event: await cloud.eventOf(image.id) };
}

async function stored(part: string) {
  const { Versions = [], DeleteMarkers = [] } = await cloud.s3.send(
    new ListObjectVersionsCommand({ Bucket: cloud.bucket }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!).filter((key) => key.includes(part));
}

test("a photograph becomes ready, with its ladder and under its name, and its upload is gone", async () => {
  const body = await picture(3000, 2000).withMetadata({ orientation: 6 }).jpeg().toBuffer();
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
      ...rungs.map(({ width }) => `ladder/${id}/${image.rev}/${width}.jpg`),
      `originals/${id}/${image.rev}`,
    ].toSorted(),
  );
  expect(body.equals((await Bucket.read(`originals/${id}/${image.rev}`))!)).toBe(true);
  const published = await sharp((await Bucket.read("images/ready.jpg"))!).metadata();
  expect(published).toMatchObject({ width: 2000, height: 3000 });
  expect(published.exif).toBeUndefined();
});

test("told twice, at once or later, it does the work once", async () => {
  const { id, event } = await upload(await picture(64, 64).jpeg().toBuffer(), { name: "two.jpg" });
  const answers = await Promise.all([deliver(event), deliver(event), deliver(event)]);
  expect(answers.flat()).toEqual([]);
  const before = await Image.get(id);
  expect(before.state).toBe("ready");
  expect(await deliver(event, event)).toEqual([]);
  expect(await Image.get(id)).toEqual(before);
  expect(await stored(`uploads/${id}`)).toEqual([]);
  // never overwritten: there is one version of it
  expect(await stored(`originals/${id}`)).toHaveLength(1);
});

test.each([
  ["a text that says it is a JPEG", async () => Buffer.from("not a picture"), /not/i],
  [
    "a JPEG that ends half-way",
    async () => (await picture(800, 600).jpeg({ quality: 100 }).toBuffer()).subarray(0, 2_000),
    /end|trunc/i,
  ],
])("%s is rejected with the reason, and nothing of it remains", async (_, bytes, why) => {
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

test("a picture that takes too long is rejected once; what has no time left behind it comes again", async () => {
  const crossing = Array.from(
    { length: 40_000 },
    (_, i) => `L${(i * 7919) % 999} ${(i * 7907) % 998}`,
  );
  const endless = `<svg xmlns="http://www.w3.org/2000/svg" width="999" height="999"><path d="M0 0${crossing.join("")}" stroke="red" stroke-width="50"/></svg>`;
  const slow = await upload(Buffer.from(endless), { type: "image/svg+xml" });
  const next = await upload(await picture(64, 64).jpeg().toBuffer());
  // the picture may have two of the seventeen seconds
  expect(await deliverWithin(17_000, slow.event, next.event)).toEqual([1]);
  expect(await Image.get(slow.id)).toMatchObject({
    state: "rejected",
    reason: { code: "image.too_complex" },
  });
  expect(await stored(slow.id)).toEqual([]);
  expect(await deliver(slow.event, next.event)).toEqual([]);
  expect((await Image.get(slow.id)).state).toBe("rejected");
  expect((await Image.get(next.id)).state).toBe("ready");
});

test("a picture is what its bytes are, whatever was declared", async () => {
  const { id, event } = await upload(await picture(64, 64).png().toBuffer());
  await deliver(event);
  expect(await Image.get(id)).toMatchObject({ state: "ready", type: "image/png" });
});

test("of a batch, only what failed comes again", async () => {
  const { id, event } = await upload(await picture(64, 64).jpeg().toBuffer());
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
])("an object at %s is nobody's upload, and left alone", async (key) => {
  const { id, event } = await upload(await picture(64, 64).jpeg().toBuffer());
  const [record] = event.Records;
  const elsewhere = { ...record, s3: { ...record!.s3, object: { ...record!.s3.object, key } } };
  expect(await deliver({ Records: [elsewhere] })).toEqual([]);
  expect(await Image.get(id)).toMatchObject({ state: "pending" });
});

test("what its owner deleted is erased, also when the upload arrives after that", async () => {
  const { id, event } = await upload(await picture(64, 64).jpeg().toBuffer(), { name: "del.jpg" });
  await deliver(event);
  await as("ann", () => Image.remove(id));
  expect(await deliver((await cloud.messages()).at(-1))).toEqual([]);
  expect([...(await stored(id)), ...(await stored("del.jpg"))]).toEqual([]);
  expect(await deliver(event)).toEqual([]);
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
});

test("what was put under a name past the API becomes an image of its owner, once", async () => {
  const key = "uploads/named/0f0e0d0c-0000-4000-8000-000000000000/image/jpeg/past.jpg";
  const body = await picture(64, 48).jpeg().toBuffer();
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

test("an upload whose key names somebody else than the gateway noted is nobody's", async () => {
  const key = "uploads/named/somebody/image/jpeg/theirs.jpg";
  const body = await picture(64, 48).jpeg().toBuffer();
  const put = { Bucket: cloud.bucket, Key: key, Body: body, Metadata: { owner: "me" } };
  await cloud.s3.send(new PutObjectCommand(put));
  expect(await deliver(await cloud.eventOf("named/somebody"))).toEqual([]);
  const { items } = await as("somebody", () => Image.listMine({}));
  expect(items).toEqual([]);
});

test("prepared anew, a picture has its ladder again, and nothing that was rendered from the old one", async () => {
  const body = await picture(3000, 2000).jpeg().toBuffer();
  const { id, event } = await upload(body, { name: "anew.jpg" });
  await deliver(event);
  const { rungs, ...before } = (await Image.findRow(id))!;
  const files = await stored(id);
  for (const { width } of rungs!)
    await Bucket.removeAllVersions(`ladder/${id}/${before.rev}/${width}.jpg`);
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

test("what is not ready, and what was deleted, is not prepared anew", async () => {
  const { id } = await upload(await picture(64, 64).jpeg().toBuffer());
  expect(await deliver({ kind: "reprocess", imageId: id })).toEqual([]);
  expect(await Image.get(id)).toMatchObject({ state: "pending" });
  await as("ann", () => Image.remove(id));
  expect(await deliver({ kind: "reprocess", imageId: id })).toEqual([]);
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
});

test("a private picture has a name and no copy under it, until it is public", async () => {
  // large enough that what takes a row and what takes its pixels overlap
  const { id, event } = await upload(await picture(3000, 2000).jpeg().toBuffer(), {
    name: "shy.jpg",
    visibility: "private",
  });
  expect(await deliver(event)).toEqual([]);
  expect((await Image.findRow(id))?.state).toBe("ready");
  const copies = () => stored("images/shy.jpg");
  expect(await copies()).toEqual([]);
  const other = as("bo", () => Upload.create({ type: "image/jpeg", bytes: 9, name: "shy.jpg" }));
  await expect(other).rejects.toMatchObject({ code: "name.taken" });

  const follow = { kind: "follow", imageId: id };
  const set = (visibility: "public" | "private") =>
    as("ann", () => Image.update({ id, visibility }));
  await set("public");
  expect(await deliver(follow, follow)).toEqual([]);
  const copy = await sharp((await Bucket.read("images/shy.jpg"))!).metadata();
  expect(copy).toMatchObject({ width: 3000, height: 2000 });
  await set("private");
  expect(await deliver(follow)).toEqual([]);
  // no version of it either
  expect(await copies()).toEqual([]);

  // one who is slow has the last word only if he is right
  await set("public");
  const slow = deliver(follow);
  await set("private");
  await Promise.all([slow, deliver(follow)]);
  expect(await copies()).toEqual([]);
});

test("made private or deleted while it is prepared, a picture leaves no copy under its name", async () => {
  const late = await upload(await picture(900, 700).jpeg().toBuffer(), { name: "late.jpg" });
  const preparing = deliver(late.event);
  await as("ann", () => Image.update({ id: late.id, visibility: "private" }));
  await preparing;
  expect(await stored("images/late.jpg")).toEqual([]);

  await as("ann", () => Image.update({ id: late.id, visibility: "public" }));
  const following = deliver({ kind: "follow", imageId: late.id });
  await as("ann", () => Image.remove(late.id));
  await Promise.all([following, deliver({ kind: "erase", imageId: late.id })]);
  expect(await deliver({ kind: "follow", imageId: late.id })).toEqual([]);
  expect(await stored(late.id)).toEqual([]);
  expect(await stored("images/late.jpg")).toEqual([]);
  await as("bo", () => Upload.create({ type: "image/jpeg", bytes: 9, name: "late.jpg" }));
});
