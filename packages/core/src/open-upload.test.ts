import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { type FaultProxy, createFaultProxy } from "@balde/faults";
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, expire } from "../test/samples.ts";
import * as Bucket from "./bucket.ts";
import * as Dynamo from "./dynamo.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as Multipart from "./multipart.ts";
import * as ObjectKey from "./object-key.ts";
import * as OpenUpload from "./open-upload.ts";
import * as Upload from "./upload.ts";
import * as Usage from "./usage.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let proxy: FaultProxy;

beforeAll(async () => {
  cloud = await startCloud();
  proxy = createFaultProxy();
  process.env["AWS_ENDPOINT_URL_S3"] = await proxy.before(
    "S3",
    process.env["AWS_ENDPOINT_URL_S3"]!,
  );
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

const MiB = 1024 * 1024;
const bytes = randomBytes(17 * MiB + 3);

async function begin(user: string, description: Partial<Parameters<typeof Upload.create>[0]> = {}) {
  const { image, upload } = await as(user, () =>
    Upload.create({ type: "image/tiff", bytes: bytes.length, ...description }),
  );
  if (upload.method !== "parts") throw new Error("The upload is a form");
  return { id: image.id, upload };
}
const sign = (user: string, id: Image.ImageId, numbers: number[]) =>
  as(user, () => OpenUpload.sign({ id, numbers }));
const complete = (user: string, id: Image.ImageId) => as(user, () => OpenUpload.complete(id));
const get = (user: string, id: Image.ImageId) => as(user, () => Upload.get(id));

/** The bytes of a part. */
const slice = (number: number) =>
  new Uint8Array(bytes.subarray((number - 1) * Upload.PART_BYTES, number * Upload.PART_BYTES));
async function send(user: string, id: Image.ImageId, numbers: number[]) {
  const { parts } = await sign(user, id, numbers);
  for (const { number, url } of parts) {
    const response = await fetch(url, { method: "PUT", body: slice(number) });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  }
}

/** The keys of all uploads in parts that the bucket holds open. */
async function openKeys() {
  const { Uploads = [] } = await cloud.s3.send(
    new ListMultipartUploadsCommand({ Bucket: cloud.bucket }),
  );
  return Uploads.map(({ Key }) => Key);
}

test("parts in any order become the file, and the bucket notifies ingest once", async () => {
  const { id, upload } = await begin("ann");
  expect(upload).toMatchObject({ partBytes: 8 * MiB, partCount: 3 });
  expect(await get("ann", id)).toMatchObject({ method: "parts", received: false, parts: [] });
  await send("ann", id, [3, 1]);
  expect(await get("ann", id)).toMatchObject({
    received: false,
    partCount: 3,
    parts: [
      { number: 1, bytes: 8 * MiB, eTag: expect.stringMatching(/^[\da-f]{32}$/) },
      { number: 3, bytes: MiB + 3 },
    ],
  });
  await send("ann", id, [2]);
  expect(await complete("ann", id)).toMatchObject({ id, state: "pending", received: true });
  expect(await get("ann", id)).toMatchObject({ method: "parts", received: true, parts: [] });
  expect((await Bucket.read(ObjectKey.upload(id)))?.equals(bytes)).toBe(true);
  // a client that has lost the answer
  expect(await complete("ann", id)).toMatchObject({ id, received: true });
  const events = (await cloud.messages()).filter((body) => JSON.stringify(body).includes(id));
  expect(events).toHaveLength(1);
  expect(JSON.stringify(events)).toContain("CompleteMultipartUpload");
});

test("an upload is not complete before all bytes that were declared are there, and nothing is lost", async () => {
  const { id } = await begin("ann");
  const isRefused = async (missing: string) =>
    expect(await complete("ann", id).catch((error: unknown) => error)).toMatchObject({
      code: "upload.incomplete",
      message: expect.stringContaining(missing),
    });
  await isRefused("1, 2, 3");
  await send("ann", id, [1, 3]);
  await isRefused("parts 2");
  await send("ann", id, [2]);
  expect(await complete("ann", id)).toMatchObject({ received: true });
});

test("the bucket refuses a part with another length than the upload declared", async () => {
  const { id } = await begin("ann");
  const { parts } = await sign("ann", id, [3, 1]);
  expect(parts.map(({ bytes: length }) => length)).toEqual([MiB + 3, 8 * MiB]);
  for (const length of [0, MiB, 5 * MiB, 9 * MiB]) {
    const body = new Uint8Array(length);
    const response = await fetch(parts[0]!.url, { method: "PUT", body });
    expect([length, response.status]).toEqual([length, 403]);
    await response.body?.cancel();
  }
  expect((await get("ann", id)).parts).toEqual([]);
});

test("a part address expires after an hour at the latest, and never outlives its upload", async () => {
  const { id } = await begin("ann");
  const { expiresAt } = await sign("ann", id, [1]);
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(3600_000);
  const soon = Math.floor(Date.now() / 1000) + 20;
  await Dynamo.update({ key: ImageRow.key(id), set: { expiresAt: soon } });
  const { parts, expiresAt: end } = await sign("ann", id, [1]);
  expect(Date.parse(end)).toBe(soon * 1000);
  expect(Number(new URL(parts[0]!.url).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(20);
});

test("only parts of the upload are signed, and only for its owner", async () => {
  const { id } = await begin("ann");
  for (const numbers of [[0], [4], [1.5], [], [-1]])
    await expect(sign("ann", id, numbers)).rejects.toMatchObject({ code: "input.invalid" });
  await expect(sign("bo", id, [1])).rejects.toMatchObject({ code: "upload.not_found" });
  await expect(complete("bo", id)).rejects.toMatchObject({ code: "upload.not_found" });
  await expect(get("bo", id)).rejects.toMatchObject({ code: "upload.not_found" });
  await expect(as("bo", () => OpenUpload.abort(id))).rejects.toMatchObject({
    code: "upload.not_found",
  });
  await expect(OpenUpload.complete(id)).rejects.toMatchObject({ code: "actor.unauthenticated" });
  await expire(ImageRow.key(id));
  await expect(sign("ann", id, [1])).rejects.toMatchObject({ code: "upload.not_found" });
});

test("a small file is sent in one part on request, and a form has no parts", async () => {
  const small = await begin("ann", { bytes: 3, method: "parts" });
  expect(small.upload).toMatchObject({ partCount: 1 });
  const { parts } = await sign("ann", small.id, [1]);
  await fetch(parts[0]!.url, { method: "PUT", body: "abc" });
  expect(await complete("ann", small.id)).toMatchObject({ received: true });
  const { image } = await as("ann", () => Upload.create({ type: "image/png", bytes: 3 }));
  const other = { code: "upload.other_method" };
  await expect(sign("ann", image.id, [1])).rejects.toMatchObject(other);
  await expect(complete("ann", image.id)).rejects.toMatchObject(other);
  await expect(as("ann", () => OpenUpload.renewForm(small.id))).rejects.toMatchObject(other);
});

test.each(["abort", "remove"] as const)(
  "after %s the parts, the name and the share of the limits are free",
  async (way) => {
    const user = `user-${way}`;
    const { id } = await begin(user, { name: "parts.tif" });
    await send(user, id, [1]);
    const usage = () => as(user, () => Usage.get());
    expect(await usage()).toMatchObject({
      bytes: { used: bytes.length },
      openUploads: { used: 1 },
      reservedNames: { used: 1 },
    });
    expect(await openKeys()).toContain(`uploads/${id}`);
    const end = () => as(user, () => (way === "abort" ? OpenUpload.abort(id) : Image.remove(id)));
    await end();
    await end();
    // what ingest does when an image was deleted
    if (way === "remove") await Multipart.abortAll(ObjectKey.upload(id));
    expect(await openKeys()).not.toContain(`uploads/${id}`);
    expect(await usage()).toMatchObject({
      bytes: { used: 0 },
      openUploads: { used: 0 },
      reservedNames: { used: 0 },
    });
    await expect(sign(user, id, [1])).rejects.toMatchObject({ code: "upload.not_found" });
    await Dynamo.remove({ key: { pk: "NAME#parts.tif", sk: "NAME" } });
  },
);

test("an upload that is refused leaves nothing open in the bucket", async () => {
  await begin("ann", { name: "mine.tif" });
  const before = await openKeys();
  await expect(begin("bo", { name: "mine.tif" })).rejects.toMatchObject({ code: "name.taken" });
  expect(await openKeys()).toEqual(before);
});

test("a completion is a success if an earlier one had no answer, whatever has happened since", async () => {
  const { id } = await begin("ann", { bytes: 3, method: "parts" });
  const { parts } = await sign("ann", id, [1]);
  await fetch(parts[0]!.url, { method: "PUT", body: "abc" });
  proxy.failNth({ action: "CompleteMultipartUpload" }, 1, { kind: "lostAnswer" });
  expect(await complete("ann", id)).toMatchObject({ state: "pending", received: true });
  const event = { id, sequencer: "01" };
  const image = await Ingest.startProcessing(event);
  expect(image).not.toHaveProperty("upload");
  expect(await complete("ann", id)).toMatchObject({ state: "processing" });
  await Ingest.markRejected(event, image!, { code: "image.broken", detail: "It is broken" });
  expect(await complete("ann", id)).toMatchObject({
    state: "rejected",
    reason: { code: "image.broken" },
  });
  await expect(sign("ann", id, [1])).rejects.toMatchObject({ code: "upload.received" });
});

test("an upload whose parts the bucket has removed is gone", async () => {
  const { id } = await begin("ann");
  const multipart = (await Image.findRow(id))!.upload!.multipart!;
  await Multipart.abort(ObjectKey.upload(id), multipart.id);
  await expect(complete("ann", id)).rejects.toMatchObject({ kind: "gone", code: "upload.gone" });
});

test.each(["drop", "lostAnswer", "error500", "throttled", "cut"] as const)(
  "each call of the bucket is repeated after one %s",
  async (kind) => {
    for (const action of [
      "CreateMultipartUpload",
      "ListParts",
      "CompleteMultipartUpload",
      "AbortMultipartUpload",
    ])
      proxy.failNth({ action }, 1, { kind });
    const { id } = await begin("ann", { bytes: 3, method: "parts" });
    const { parts } = await sign("ann", id, [1]);
    await fetch(parts[0]!.url, { method: "PUT", body: "abc" });
    expect(await complete("ann", id)).toMatchObject({ received: true });
    const { id: other } = await begin("ann");
    await as("ann", () => OpenUpload.abort(other));
    expect(await openKeys()).not.toContain(`uploads/${other}`);
  },
);
