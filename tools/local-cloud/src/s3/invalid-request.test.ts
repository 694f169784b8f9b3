import { createHash } from "node:crypto";

import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";

import { signRequest } from "../iam/sign-request.ts";
import { bucket, bucketArn, region, smallGraph, startS3 } from "./s3.fixture.ts";

const Bucket = "pictures";
const graph = smallGraph([
  ...bucket(Bucket),
  ...bucket("public", {
    BucketPolicy: {
      policy: JSON.stringify({
        Statement: [
          {
            Effect: "Allow",
            Principal: "*",
            Action: "s3:PutObject",
            Resource: `${bucketArn("public")}/*`,
          },
        ],
      }),
    },
    BucketPublicAccessBlock: { blockPublicPolicy: false, restrictPublicBuckets: false },
  }),
]);
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(graph)));
afterAll(() => s3.stop());

/** Sends a signed request with exactly these headers, which the SDK would complete. */
async function send(method: string, path: string, body: string, headers: Record<string, string>) {
  const host = s3.endpoint.replace("http://", "");
  const request = { method, url: path, headers: { host, ...headers }, body };
  const signed = signRequest(request, s3.principals.operator, "s3", region, Date.now());
  const response = await fetch(s3.endpoint + path, {
    method,
    headers: { ...headers, ...signed },
    ...(body && { body }),
  });
  const text = await response.text();
  return { status: response.status, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] };
}
const accepted = { status: 200, code: undefined };
const md5 = (text: string) => createHash("md5").update(text).digest("base64");

test("a request for a bucket of another account is refused", async () => {
  const put = (ExpectedBucketOwner: string) =>
    s3.client().send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ExpectedBucketOwner }));
  await put("123456789012");
  await expect(put("210987654321")).rejects.toMatchObject({ name: "AccessDenied" });
});

test("a key with a NUL character is refused", async () => {
  const put = new PutObjectCommand({ Bucket, Key: "a\0b", Body: "x" });
  await expect(s3.client().send(put)).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("user metadata has up to 2 KiB of names and values", async () => {
  const put = (length: number) =>
    s3
      .client()
      .send(
        new PutObjectCommand({ Bucket, Key: "k", Body: "x", Metadata: { ab: "x".repeat(length) } }),
      );
  await put(2_048 - 2);
  await expect(put(2_048 - 1)).rejects.toMatchObject({ name: "MetadataTooLarge" });
});

test("a grant is refused like an ACL", async () => {
  const put = new PutObjectCommand({ Bucket, Key: "k", Body: "x", GrantRead: 'id="1"' });
  await expect(s3.client().send(put)).rejects.toMatchObject({
    name: "AccessControlListNotSupported",
  });
});

test("two checksums, and a Content-MD5 that is no MD5 or a wrong one, are refused", async () => {
  const put = (headers: Record<string, string>) => send("PUT", "/pictures/k", "x", headers);
  const checksums = { "x-amz-checksum-crc32": "jNwf9w==", "x-amz-checksum-crc32c": "AAAAAA==" };
  expect(await put(checksums)).toEqual({ status: 400, code: "InvalidRequest" });
  expect(await put({ "content-md5": "AAAA" })).toEqual({ status: 400, code: "InvalidDigest" });
  expect(await put({ "content-md5": md5("y") })).toEqual({ status: 400, code: "BadDigest" });
  expect(await put({ "content-md5": md5("x") })).toEqual(accepted);
});

test("DeleteObjects takes up to a thousand keys", async () => {
  const remove = (count: number) => {
    const Objects = Array.from({ length: count }, (_, at) => ({ Key: `many/${at}` }));
    return s3.client().send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  };
  expect((await remove(1_000)).Deleted).toHaveLength(1_000);
  await expect(remove(1_001)).rejects.toMatchObject({ name: "MalformedXML" });
});

test("DeleteObjects needs a checksum of its document, which has up to 8 MiB", async () => {
  const remove = (body: string, headers: Record<string, string>) =>
    send("POST", "/pictures?delete=", body, headers);
  const body = "<Delete><Object><Key>none</Key></Object></Delete>";
  expect(await remove(body, {})).toEqual({ status: 400, code: "InvalidRequest" });
  expect(await remove(body, { "content-md5": md5(body) })).toEqual(accepted);
  const most = body + " ".repeat(8 * 1024 * 1024 - body.length);
  expect(await remove(most, { "content-md5": md5(most) })).toEqual(accepted);
  const large = `${most} `;
  expect(await remove(large, { "content-md5": md5(large) })).toEqual({
    status: 400,
    code: "MalformedXML",
  });
});

test("a body of signed chunks needs a signed request, also in a bucket that anyone may write to", async () => {
  const put = async (body: string, headers: Record<string, string>) =>
    (await fetch(`${s3.endpoint}/public/k`, { method: "PUT", body, headers })).status;
  expect(await put("x", {})).toBe(200);
  const chunk = `1;chunk-signature=${"0".repeat(64)}\r\nx\r\n`;
  const last = `0;chunk-signature=${"0".repeat(64)}\r\n\r\n`;
  const headers = {
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "x-amz-decoded-content-length": "1",
  };
  expect(await put(chunk + last, headers)).toBe(403);
});

test("a version marker without a key marker is refused", async () => {
  const list = new ListObjectVersionsCommand({ Bucket, VersionIdMarker: "null" });
  await expect(s3.client().send(list)).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("a version id that S3 could not have made is refused", async () => {
  const get = (VersionId: string) =>
    s3.client().send(new GetObjectCommand({ Bucket, Key: "none", VersionId }));
  await expect(get("x")).rejects.toMatchObject({ name: "InvalidArgument" });
  await expect(get("null")).rejects.toMatchObject({ name: "NoSuchVersion" });
});
