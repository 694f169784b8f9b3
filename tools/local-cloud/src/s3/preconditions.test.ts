import { readdirSync } from "node:fs";
import { join } from "node:path";

import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, smallGraph, startS3 } from "./s3.fixture.ts";

let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(smallGraph(bucket("pictures")))));
afterAll(() => s3.stop());

const Bucket = "pictures";
const put = (Key: string, Body: string, more: Partial<PutObjectCommandInput> = {}) =>
  s3.client().send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, more: object = {}) => {
  const read = await s3.client().send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...read, bytes: Buffer.from(await read.Body!.transformToByteArray()) };
};

test.each([
  ["bytes=0-2", "012", "bytes 0-2/10"],
  ["bytes=7-", "789", "bytes 7-9/10"],
  ["bytes=-4", "6789", "bytes 6-9/10"],
  ["bytes=5-500", "56789", "bytes 5-9/10"],
  ["bytes=-500", "0123456789", "bytes 0-9/10"],
])("the range %s is part of the object", async (Range, text, ContentRange) => {
  await put("digits", "0123456789");
  const part = await get("digits", { Range });
  expect(part).toMatchObject({
    ContentRange,
    ContentLength: text.length,
    $metadata: { httpStatusCode: 206 },
  });
  expect(String(part.bytes)).toBe(text);
});

test.each(["bytes=0-2,4-5", "lines=1-2", "bytes=5-2", "bytes=-"])(
  "the range %s is ignored",
  async (Range) => {
    await put("digits", "0123456789");
    expect(await get("digits", { Range })).toMatchObject({
      ContentLength: 10,
      $metadata: { httpStatusCode: 200 },
    });
  },
);

test.each(["bytes=10-", "bytes=-0", "bytes=99-100"])(
  "the range %s is outside the object",
  async (Range) => {
    await put("digits", "0123456789");
    await expect(get("digits", { Range })).rejects.toMatchObject({
      name: "InvalidRange",
      $metadata: { httpStatusCode: 416 },
    });
  },
);

test("conditional reads are 304 or 412 as in HTTP", async () => {
  const { ETag } = await put("conditional", "x");
  const status = (more: object) =>
    get("conditional", more).then(
      (read) => read.$metadata.httpStatusCode,
      (error) => error.$metadata.httpStatusCode,
    );
  const { LastModified } = await get("conditional");
  expect(await status({ IfUnmodifiedSince: LastModified })).toBe(200);
  expect(await status({ IfModifiedSince: LastModified })).toBe(304);
  const [before, after] = [new Date(Date.now() - 1e6), new Date(Date.now() + 1e6)];
  expect(await status({ IfNoneMatch: ETag })).toBe(304);
  expect(await status({ IfNoneMatch: `"other", ${ETag}` })).toBe(304);
  expect(await status({ IfNoneMatch: `W/${ETag}` })).toBe(304);
  expect(await status({ IfNoneMatch: '"other"' })).toBe(200);
  expect(await status({ IfMatch: '"other"' })).toBe(412);
  expect(await status({ IfMatch: ETag })).toBe(200);
  expect(await status({ IfModifiedSince: after })).toBe(304);
  expect(await status({ IfModifiedSince: before })).toBe(200);
  expect(await status({ IfUnmodifiedSince: before })).toBe(412);
  expect(await status({ IfMatch: ETag, IfUnmodifiedSince: before })).toBe(200);
  expect(await status({ IfNoneMatch: '"other"', IfModifiedSince: after })).toBe(200);
});

test("one of 32 concurrent create-only writes succeeds, and its bytes are stored", async () => {
  const attempts = Array.from({ length: 32 }, (_, writer) =>
    put("contested", `writer ${writer}`, { IfNoneMatch: "*" }).then(
      () => writer,
      (error) => error.name,
    ),
  );
  const results = await Promise.all(attempts);
  const winners = results.filter((result) => typeof result === "number");
  expect(winners).toHaveLength(1);
  expect(results.filter((result) => result === "PreconditionFailed")).toHaveLength(31);
  expect(String((await get("contested")).bytes)).toBe(`writer ${winners[0]}`);
});

test("a write whose precondition fails leaves no file", async () => {
  const files = () =>
    readdirSync(join(s3.folder, "blobs"), { recursive: true }).filter(
      (name) => String(name).length > 3,
    ).length;
  await put("present", "x");
  const before = files();
  await expect(put("present", "y", { IfNoneMatch: "*" })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  expect(files()).toBe(before);
});

test("a write with If-Match replaces only the object with that ETag", async () => {
  const { ETag } = await put("matched", "one");
  await put("matched", "two", { IfMatch: ETag! });
  await expect(put("matched", "three", { IfMatch: ETag! })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  await expect(put("nowhere", "three", { IfMatch: ETag! })).rejects.toMatchObject({
    name: "NoSuchKey",
  });
  expect(String((await get("matched")).bytes)).toBe("two");
});
