import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { signRequest } from "../iam/sign-request.ts";
import { bucket, region, smallGraph, startS3 } from "./s3.fixture.ts";

const Bucket = "pictures";
const graph = smallGraph(bucket(Bucket), { withoutPermissions: [] });
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(graph)));
afterAll(() => s3.stop());

const send = (method: string, path: string, body = "", extra: Record<string, string> = {}) => {
  const headers = { host: s3.endpoint.replace("http://", ""), ...extra };
  const { operator } = s3.principals;
  return {
    ...headers,
    ...signRequest({ method, url: path, headers, body }, operator, "s3", region, Date.now()),
  };
};

/** Sends these bytes; a client would normalize the path. */
function raw(
  head: string[],
  body = "",
  end?: (socket: ReturnType<typeof connect>) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(s3.endpoint).port), "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk) => (text += chunk));
    socket.on("close", () => resolve(text)).on("error", reject);
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
    end?.(socket);
  });
}
const asLines = (headers: Record<string, string>) =>
  Object.entries(headers).map((pair) => pair.join(": "));

const filesUnder = (folder: string) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile());

test.each([
  "../../escape",
  "..",
  "a/../../../escape",
  "%2e%2e%2fescape",
  "a%2Fb",
  "/absolute",
  "a//b/",
  "C:\\windows\\nul",
  "🙂".repeat(256),
  "é".repeat(512),
  "x".repeat(1024),
  " leading and trailing ",
  "a\nb\tc",
  "<script>&amp;\"'",
  "?list-type=2#x",
])("the key %j is stored, read, listed and deleted", async (Key) => {
  const around = dirname(s3.folder);
  const before = readdirSync(around).length;
  const client = s3.client();
  await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const read = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await read.Body!.transformToString()).toBe(Key);
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents?.map((one) => one.Key)).toEqual([Key]);
  expect(
    filesUnder(s3.folder).every((name) =>
      /^(blobs\/[\da-f]{2}\/[\da-f]{32}|state\.sqlite(-wal|-shm)?)$/.test(name),
    ),
  ).toBe(true);
  expect(readdirSync(around).length).toBe(before);
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
});

test("a key of more than 1024 bytes is refused", async () => {
  const put = (Key: string) => s3.client().send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  await expect(put("x".repeat(1025))).rejects.toMatchObject({ name: "KeyTooLongError" });
  await expect(put("🙂".repeat(257))).rejects.toMatchObject({ name: "KeyTooLongError" });
});

test("a path that is not UTF-8 is refused", async () => {
  for (const path of ["/pictures/%ff", "/pictures/%zz"])
    expect((await fetch(s3.endpoint + path)).status).toBe(400);
});

test("dots in the path of a request are part of the key", async () => {
  const path = "/pictures/../other/key";
  const answer = await raw(
    [
      `PUT ${path} HTTP/1.1`,
      ...asLines({ ...send("PUT", path, "x"), "content-length": "1", connection: "close" }),
    ],
    "x",
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  expect(
    (await s3.client().send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key),
  ).toEqual(["../other/key"]);
  await s3.client().send(new DeleteObjectCommand({ Bucket, Key: "../other/key" }));
});

test("an upload whose connection breaks leaves no file", async () => {
  const before = filesUnder(s3.folder).length;
  const headers = {
    ...send("PUT", "/pictures/broken", "x".repeat(3_000_000)),
    "content-length": "3000000",
  };
  let breakOff = () => {};
  const broken = raw(
    [`PUT /pictures/broken HTTP/1.1`, ...asLines(headers)],
    "x".repeat(2_000_000),
    (socket) => (breakOff = () => void socket.destroy()),
  );
  await vi.waitFor(() => expect(filesUnder(s3.folder).length).toBe(before + 1), 5000);
  breakOff();
  await broken;
  await vi.waitFor(() => expect(filesUnder(s3.folder).length).toBe(before), 5000);
  const read = s3.client().send(new GetObjectCommand({ Bucket, Key: "broken" }));
  await expect(read).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("a body without a length, or of another length or content than signed, is refused", async () => {
  const code = (answer: string) => /<Code>(\w+)<\/Code>/.exec(answer)?.[1];
  const put = (body: string, headers: Record<string, string>) =>
    raw(
      [
        "PUT /pictures/k HTTP/1.1",
        ...asLines({ ...send("PUT", "/pictures/k", "signed"), connection: "close", ...headers }),
      ],
      body,
    );
  expect(code(await put("6\r\nsigned\r\n0\r\n\r\n", { "transfer-encoding": "chunked" }))).toBe(
    "MissingContentLength",
  );
  expect(code(await put("forged", { "content-length": "6" }))).toBe("XAmzContentSHA256Mismatch");
  expect(code(await put("", { "content-length": String(6 * 1024 ** 3) }))).toBe("EntityTooLarge");
});

test("a request without permission is refused before its body is sent", async () => {
  const { accessKeyId, secretAccessKey, sessionToken } = s3.role("withoutPermissions");
  const headers = { host: s3.endpoint.replace("http://", "") };
  const signed = signRequest(
    { method: "PUT", url: "/pictures/k", headers, body: "x" },
    { accessKeyId, secretAccessKey, sessionToken },
    "s3",
    region,
    Date.now(),
  );
  const answer = await raw([
    "PUT /pictures/k HTTP/1.1",
    ...asLines({ ...headers, ...signed, expect: "100-continue", "content-length": "1000000" }),
  ]);
  expect(answer).toMatch(/^HTTP\/1\.1 403/);
  const allowed = {
    ...send("PUT", "/pictures/k", "x"),
    expect: "100-continue",
    "content-length": "1",
    connection: "close",
  };
  expect(await raw(["PUT /pictures/k HTTP/1.1", ...asLines(allowed)], "x")).toMatch(
    /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/,
  );
});

test("a refused large upload gets its response, and the connection stays open", async () => {
  const client = s3.client();
  const Body = Buffer.alloc(8_000_000);
  await client.send(new PutObjectCommand({ Bucket, Key: "there", Body: "x" }));
  const put = () =>
    client.send(new PutObjectCommand({ Bucket, Key: "there", Body, IfNoneMatch: "*" }));
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(put()).rejects.toMatchObject({ name: "PreconditionFailed" });
  const wrong = new PutObjectCommand({ Bucket, Key: "there", Body, StorageClass: "GLACIER" });
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(client.send(wrong)).rejects.toMatchObject({ name: "NotImplemented" });
});

test("an object that is replaced or deleted while it is read is read to its end", async () => {
  const client = s3.client();
  const Body = Buffer.alloc(20_000_000, "a");
  await client.send(new PutObjectCommand({ Bucket, Key: "read", Body }));
  const read = await client.send(new GetObjectCommand({ Bucket, Key: "read" }));
  await client.send(new PutObjectCommand({ Bucket, Key: "read", Body: "b" }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: "read" }));
  const before = filesUnder(s3.folder).length;
  expect(Buffer.from(await read.Body!.transformToByteArray()).equals(Body)).toBe(true);
  await vi.waitFor(() => expect(filesUnder(s3.folder).length).toBe(before - 1));
});
