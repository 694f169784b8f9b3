import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";

import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  GetBucketLocationCommand,
  GetBucketAclCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, smallGraph, startS3 } from "./s3.fixture.ts";

const graph = smallGraph(bucket("pictures"));
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(graph)));
afterAll(() => s3.stop());

const Bucket = "pictures";
const put = (
  Key: string,
  Body: PutObjectCommandInput["Body"],
  more: Partial<PutObjectCommandInput> = {},
) => s3.client().send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, more: object = {}) => {
  const read = await s3.client().send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...read, bytes: Buffer.from(await read.Body!.transformToByteArray()) };
};
const md5 = (data: Buffer | string) => createHash("md5").update(data).digest("hex");

test("GetObject returns the bytes, headers, metadata, ETag and date of PutObject", async () => {
  const data = randomBytes(300_000);
  const written = await put("a/b.jpg", data, {
    ContentType: "image/jpeg",
    CacheControl: "max-age=60",
    ContentDisposition: 'inline; filename="b.jpg"',
    ContentLanguage: "pt",
    ContentEncoding: "identity",
    Metadata: { owner: "ann", "two-words": "a b" },
  });
  expect(written.ETag).toBe(`"${md5(data)}"`);
  expect(written.ChecksumCRC32).toBeDefined();
  const read = await get("a/b.jpg");
  expect(read.bytes).toEqual(data);
  expect(read).toMatchObject({
    ETag: `"${md5(data)}"`,
    ContentType: "image/jpeg",
    CacheControl: "max-age=60",
    ContentDisposition: 'inline; filename="b.jpg"',
    ContentLanguage: "pt",
    ContentEncoding: "identity",
    ContentLength: 300_000,
    AcceptRanges: "bytes",
    ServerSideEncryption: "AES256",
    Metadata: { owner: "ann", "two-words": "a b" },
  });
  expect(Math.abs(read.LastModified!.getTime() - Date.now())).toBeLessThan(3000);
  expect(read.VersionId).toBeUndefined();
  expect(read.$metadata.requestId).toMatch(/^[0-9A-F]{16}$/);
  const head = await s3
    .client()
    .send(new HeadObjectCommand({ Bucket, Key: "a/b.jpg", ChecksumMode: "ENABLED" }));
  expect(head).toMatchObject({
    ContentLength: 300_000,
    ChecksumCRC32: written.ChecksumCRC32,
    ChecksumType: "FULL_OBJECT",
  });
});

test("a stream of unknown length, which the SDK sends in chunks with a trailer, is stored without the framing", async () => {
  const pieces = Array.from({ length: 40 }, () => randomBytes(7001));
  const whole = Buffer.concat(pieces);
  await put("streamed", Readable.from(pieces), { ContentLength: whole.length });
  expect((await get("streamed")).bytes.equals(whole)).toBe(true);
  expect((await get("streamed")).ContentEncoding).toBeUndefined();
});

test.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)(
  "a %s of the SDK is verified and stored",
  async (ChecksumAlgorithm) => {
    await put("summed", "123456789", { ChecksumAlgorithm });
    const read = await get("summed", { ChecksumMode: "ENABLED" });
    expect(read[`Checksum${ChecksumAlgorithm}`]).toBeDefined();
    expect(String(read.bytes)).toBe("123456789");
  },
);

test.each<[string, Partial<PutObjectCommandInput>, string]>([
  ["CRC32", { ChecksumCRC32: "AAAAAA==" }, "BadDigest"],
  ["CRC64NVME", { ChecksumCRC64NVME: "AAAAAAAAAAA=" }, "BadDigest"],
  ["SHA-256", { ChecksumSHA256: Buffer.alloc(32).toString("base64") }, "BadDigest"],
  ["MD5", { ContentMD5: Buffer.alloc(16).toString("base64") }, "BadDigest"],
  ["half an MD5", { ContentMD5: "AAAA" }, "InvalidDigest"],
  ["half a checksum", { ChecksumSHA1: "AAAA" }, "InvalidRequest"],
])("a wrong %s is refused, and nothing is stored", async (_, wrong, name) => {
  await expect(put("wrong", "abc", wrong)).rejects.toMatchObject({
    name,
    $metadata: { httpStatusCode: 400 },
  });
  await expect(get("wrong")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("a correct CRC64NVME is accepted and stored", async () => {
  const ChecksumCRC64NVME = Buffer.from("ae8b14860a799888", "hex").toString("base64");
  await put("nvme", "123456789", { ChecksumCRC64NVME });
  expect(await get("nvme", { ChecksumMode: "ENABLED" })).toMatchObject({ ChecksumCRC64NVME });
});

test("an object can be empty", async () => {
  await put("empty", "");
  expect(await get("empty")).toMatchObject({ ContentLength: 0, ETag: `"${md5("")}"` });
  await expect(get("empty", { Range: "bytes=0-" })).rejects.toMatchObject({ name: "InvalidRange" });
});

test("a signed request can override response headers", async () => {
  await put("named", "x");
  expect(
    await get("named", {
      ResponseContentType: "text/plain",
      ResponseContentDisposition: "attachment",
    }),
  ).toMatchObject({
    ContentType: "text/plain",
    ContentDisposition: "attachment",
  });
});

test("a copy has the source's bytes, the source's headers or new ones, and stays when the source is deleted", async () => {
  const client = s3.client();
  const key = "copies/ü +%/source";
  await put(key, "original", { ContentType: "image/png", Metadata: { a: "1" } });
  const source = `${Bucket}/${encodeURIComponent(key)}`;
  const copy = (Key: string, more: object = {}) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource: source, ...more }));
  expect((await copy("copies/same")).CopyObjectResult).toMatchObject({
    ETag: `"${md5("original")}"`,
  });
  await copy("copies/other", {
    MetadataDirective: "REPLACE",
    ContentType: "image/webp",
    Metadata: { b: "2" },
  });
  await expect(copy(key)).rejects.toMatchObject({ name: "InvalidRequest" });
  await copy(key, { MetadataDirective: "REPLACE", Metadata: { c: "3" } });
  await expect(copy("copies/x", { CopySourceIfMatch: '"other"' })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  await expect(copy("copies/same", { IfNoneMatch: "*" })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
  expect(await get("copies/same")).toMatchObject({
    ContentType: "image/png",
    Metadata: { a: "1" },
  });
  expect(await get("copies/other")).toMatchObject({
    ContentType: "image/webp",
    Metadata: { b: "2" },
  });
  expect(String((await get("copies/same")).bytes)).toBe("original");
});

test("deleting a missing key succeeds, and DeleteObjects deletes several keys", async () => {
  const client = s3.client();
  await client.send(new DeleteObjectCommand({ Bucket, Key: "never was" }));
  const keys = ["many/1", "many/<&>\"'", "many/\r\n\t"];
  for (const Key of keys) await put(Key, "x");
  const Objects = [...keys, "many/missing"].map((Key) => ({ Key }));
  const { Deleted, Errors } = await client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
  );
  expect(Errors).toBeUndefined();
  expect(Deleted?.map(({ Key }) => Key)).toEqual([...keys, "many/missing"]);
  for (const Key of keys) await expect(get(Key)).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("HeadBucket and GetBucketLocation return the region", async () => {
  const client = s3.client();
  expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe("eu-central-1");
  expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe(
    "eu-central-1",
  );
  await expect(client.send(new HeadBucketCommand({ Bucket: "elsewhere" }))).rejects.toMatchObject({
    name: "NotFound",
  });
  await expect(
    client.send(new PutObjectCommand({ Bucket: "elsewhere", Key: "k" })),
  ).rejects.toMatchObject({ name: "NoSuchBucket" });
});

test("an action that is not emulated is 501 and changes nothing", async () => {
  await put("kept", "body");
  const client = s3.client();
  const tagging = new PutObjectTaggingCommand({
    Bucket,
    Key: "kept",
    Tagging: { TagSet: [{ Key: "a", Value: "b" }] },
  });
  const refused = { name: "NotImplemented", $metadata: { httpStatusCode: 501 } };
  await expect(client.send(tagging)).rejects.toMatchObject(refused);
  await expect(client.send(new GetBucketAclCommand({ Bucket }))).rejects.toMatchObject(refused);
  await expect(put("kept", "x", { StorageClass: "GLACIER" })).rejects.toMatchObject(refused);
  await expect(put("kept", "x", { Tagging: "a=b" })).rejects.toMatchObject(refused);
  await expect(put("kept", "x", { ServerSideEncryption: "aws:kms" })).rejects.toMatchObject(
    refused,
  );
  await expect(put("kept", "x", { ACL: "public-read" })).rejects.toMatchObject({
    name: "AccessControlListNotSupported",
  });
  await expect(put("kept", "x", { Metadata: { a: "x".repeat(2048) } })).rejects.toMatchObject({
    name: "MetadataTooLarge",
  });
  expect(String((await get("kept")).bytes)).toBe("body");
});
