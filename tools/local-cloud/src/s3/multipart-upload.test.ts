import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type ChecksumAlgorithm as Algorithm,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { bucket, smallGraph, startS3, versioned } from "./s3.fixture.ts";

const Bucket = "pictures";
let s3: Awaited<ReturnType<typeof startS3>>;
beforeEach(async () => void (s3 = await startS3(smallGraph(bucket(Bucket, versioned)))));
afterEach(() => s3.stop());

const MiB = 1024 * 1024;
const Key = "big";
const md5 = (data: Buffer) => createHash("md5").update(data).digest();

async function begin(ChecksumAlgorithm?: Algorithm) {
  const { UploadId } = await s3.client().send(
    new CreateMultipartUploadCommand({
      Bucket,
      Key,
      ContentType: "image/png",
      Metadata: { a: "1" },
      ...(ChecksumAlgorithm && { ChecksumAlgorithm }),
    }),
  );
  const part = async (PartNumber: number, Body: Buffer) => ({
    PartNumber,
    ...(await s3.client().send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body,
        ...(ChecksumAlgorithm && { ChecksumAlgorithm }),
      }),
    )),
  });
  const complete = (
    Parts: { PartNumber: number; ETag?: string | undefined }[],
    more: object = {},
  ) =>
    s3.client().send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts },
        ...more,
      }),
    );
  return { UploadId, part, complete };
}
const blobs = () =>
  readdirSync(join(s3.folder, "blobs"), { recursive: true }).filter(
    (name) => String(name).length > 3,
  );
const get = async (more: object = {}) => {
  const read = await s3.client().send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...read, bytes: Buffer.from(await read.Body!.transformToByteArray()) };
};

test.each([undefined, "CRC32", "SHA256"] as const)(
  "parts in any order, one replaced, become one object (%s)",
  async (algorithm) => {
    const { UploadId, part, complete } = await begin(algorithm);
    const [one, two, three] = [randomBytes(5 * MiB), randomBytes(5 * MiB + 1), randomBytes(17)];
    const last = await part(30, three);
    await part(2, randomBytes(5 * MiB));
    const first = await part(1, one);
    const second = await part(2, two);
    const listed = await s3.client().send(new ListPartsCommand({ Bucket, Key, UploadId }));
    expect(listed.Parts?.map(({ PartNumber, Size, ETag }) => [PartNumber, Size, ETag])).toEqual([
      [1, one.length, first.ETag],
      [2, two.length, second.ETag],
      [30, 17, last.ETag],
    ]);
    const done = await complete([first, second, last]);
    const expected = createHash("md5")
      .update(Buffer.concat([one, two, three].map(md5)))
      .digest("hex");
    expect(done).toMatchObject({
      ETag: `"${expected}-3"`,
      Bucket,
      Key,
      VersionId: expect.any(String),
    });
    const whole = await get();
    expect(whole).toMatchObject({
      ETag: `"${expected}-3"`,
      ContentType: "image/png",
      Metadata: { a: "1" },
    });
    expect(whole.bytes.equals(Buffer.concat([one, two, three]))).toBe(true);
    const across = await get({ Range: `bytes=${one.length - 2}-${one.length + two.length + 1}` });
    expect(across.bytes.equals(Buffer.concat([one.subarray(-2), two, three.subarray(0, 2)]))).toBe(
      true,
    );
    expect(s3.events).toMatchObject([
      {
        eventName: "ObjectCreated:CompleteMultipartUpload",
        s3: { object: { size: whole.bytes.length, eTag: `${expected}-3` } },
      },
    ]);
    expect(blobs()).toHaveLength(3);
    await expect(complete([first])).rejects.toMatchObject({ name: "NoSuchUpload" });
  },
);

test("a completion that lists other parts than were uploaded is refused, and the upload stays open", async () => {
  const { part, complete } = await begin();
  const one = await part(1, Buffer.from("short"));
  const two = await part(2, Buffer.from("end"));
  await expect(complete([two, one])).rejects.toMatchObject({ name: "InvalidPartOrder" });
  await expect(complete([one, two])).rejects.toMatchObject({ name: "EntityTooSmall" });
  await expect(complete([{ ...one, ETag: two.ETag }])).rejects.toMatchObject({
    name: "InvalidPart",
  });
  await expect(complete([{ ...one, PartNumber: 7 }])).rejects.toMatchObject({
    name: "InvalidPart",
  });
  await expect(complete([one, one])).rejects.toMatchObject({ name: "InvalidPartOrder" });
  await expect(complete([one], { MpuObjectSize: 4 })).rejects.toMatchObject({
    name: "InvalidRequest",
  });
  await expect(complete([])).rejects.toMatchObject({ name: "MalformedXML" });
  await complete([one], { MpuObjectSize: 5 });
  expect((await get()).bytes.toString()).toBe("short");
  expect(blobs()).toHaveLength(1);
});

test("a completion with If-None-Match does not replace an object", async () => {
  const { part, complete } = await begin();
  const one = await part(1, Buffer.from("multi"));
  await s3.client().send(new PutObjectCommand({ Bucket, Key, Body: "first" }));
  await expect(complete([one], { IfNoneMatch: "*" })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  expect((await get()).bytes.toString()).toBe("first");
  await complete([one]);
  expect((await get()).bytes.toString()).toBe("multi");
});

test("an aborted upload leaves nothing and accepts no more parts", async () => {
  const { UploadId, part } = await begin();
  await part(1, Buffer.from("x"));
  expect(
    (await s3.client().send(new ListMultipartUploadsCommand({ Bucket }))).Uploads,
  ).toMatchObject([{ Key, UploadId }]);
  await s3.client().send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await expect(part(2, Buffer.from("x"))).rejects.toMatchObject({ name: "NoSuchUpload" });
  expect(
    (await s3.client().send(new ListMultipartUploadsCommand({ Bucket }))).Uploads,
  ).toBeUndefined();
  expect(blobs()).toEqual([]);
});

test("a part whose upload is aborted while its bytes arrive is refused and leaves no file", async () => {
  const { UploadId } = await begin();
  const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1 });
  const client = s3.client(undefined, { requestChecksumCalculation: "WHEN_REQUIRED" });
  const url = await getSignedUrl(client, command);
  const sending = request(url, { method: "PUT", headers: { "content-length": 2 * MiB } });
  const responses = once(sending, "response");
  sending.write(Buffer.alloc(MiB + 1));
  await vi.waitFor(() => expect(blobs()).toHaveLength(1), 5_000);
  await s3.client().send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  sending.end(Buffer.alloc(MiB - 1));
  const [response] = (await responses) as [IncomingMessage];
  expect(response.statusCode).toBe(404);
  expect(await text(response)).toContain("<Code>NoSuchUpload</Code>");
  expect(blobs()).toEqual([]);
});

test("a browser uploads parts to presigned URLs", async () => {
  const { UploadId, complete } = await begin();
  const client = s3.client(undefined, { requestChecksumCalculation: "WHEN_REQUIRED" });
  const url = await getSignedUrl(
    client,
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1 }),
    { expiresIn: 60 },
  );
  const response = await fetch(url, { method: "PUT", body: "part" });
  await complete([{ PartNumber: 1, ETag: response.headers.get("etag")! }]);
  expect((await get()).bytes.toString()).toBe("part");
});

test("parts are listed in pages, and a part number above 10000 is refused", async () => {
  const { UploadId, part } = await begin();
  for (const number of [1, 2, 10_000]) await part(number, Buffer.from("x"));
  await expect(part(10_001, Buffer.from("x"))).rejects.toMatchObject({ name: "InvalidArgument" });
  const page = await s3.client().send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));
  expect(page).toMatchObject({ IsTruncated: true, NextPartNumberMarker: "2" });
  const rest = await s3
    .client()
    .send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: "2", MaxParts: 1_001 }));
  expect(rest.MaxParts).toBe(1_000);
  expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([10_000]);
});

test("UploadPartCopy is 501", async () => {
  const { UploadId } = await begin();
  const copy = new UploadPartCopyCommand({
    Bucket,
    Key,
    UploadId,
    PartNumber: 1,
    CopySource: `${Bucket}/x`,
  });
  await expect(s3.client().send(copy)).rejects.toMatchObject({ name: "NotImplemented" });
});
