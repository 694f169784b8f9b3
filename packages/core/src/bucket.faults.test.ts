import { type FaultProxy, createFaultProxy } from "@balde/faults";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import * as Bucket from "./bucket.ts";
import * as Dynamo from "./dynamo.ts";

// Reads are repeated when they fail after the head of the response, too.

const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251));
const key = { pk: "FAULT", sk: "META" };
let cloud: Awaited<ReturnType<typeof startCloud>>;
let proxy: FaultProxy;

beforeAll(async () => {
  cloud = await startCloud();
  proxy = createFaultProxy();
  for (const service of ["S3", "DYNAMODB"]) {
    const name = `AWS_ENDPOINT_URL_${service}`;
    process.env[name] = await proxy.before(service, process.env[name]!);
  }
  await Bucket.put("originals/a", bytes, { type: "text/plain" });
  await Dynamo.put({ item: { ...key, text: "x".repeat(1_000) } });
});

afterEach(() => proxy.clear());

afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

const broken = ["drop", "lostAnswer", "error500", "throttled", "cut", "stall"] as const;

test.each(broken)("a read of the bucket succeeds after one %s", async (kind) => {
  proxy.failNth({ action: "GetObject" }, 1, { kind });
  expect((await Bucket.read("originals/a"))?.equals(bytes)).toBe(true);
});

test.each(broken)("a stream of the bucket succeeds after one %s", async (kind) => {
  proxy.failNth({ action: "GetObject" }, 1, { kind });
  const opened = await Bucket.open("originals/a", { isReadAtOnce: true });
  expect((await buffer(opened!.body)).equals(bytes)).toBe(true);
});

test("a stream of a part goes on where it was cut, however often", async () => {
  proxy.failNth({ action: "GetObject" }, 1, { kind: "cut" }, 6);
  const opened = await Bucket.open("originals/a", { range: "bytes=1000-900000" });
  expect((await buffer(opened!.body)).equals(bytes.subarray(1_000, 900_001))).toBe(true);
});

test("a stream does not go on with the bytes of another object", async () => {
  await Bucket.put("originals/b", bytes, { type: "text/plain" });
  proxy.failNth({ action: "GetObject" }, 1, { kind: "cut" });
  const opened = await Bucket.open("originals/b");
  await Bucket.put("originals/b", Buffer.from("other"), { type: "text/plain" });
  await expect(buffer(opened!.body)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test.each(broken)("a read of the table succeeds after one %s", async (kind) => {
  const query = { keyCondition: "#pk = :pk", values: { pk: key.pk } };
  const item = expect.objectContaining(key);
  proxy.failNth({ action: "GetItem" }, 1, { kind });
  proxy.failNth({ action: "Query" }, 1, { kind });
  proxy.failNth({ action: "BatchGetItem" }, 1, { kind });
  const all = Promise.all([Dynamo.get(key), Dynamo.queryAll(query), Dynamo.getMany([key])]);
  expect(await all).toEqual([item, [item], [item]]);
});

test.each(broken)("a listing of the bucket is repeated after one %s", async (kind) => {
  await Bucket.put("derived/x/y", bytes.subarray(0, 10), { type: "text/plain" });
  proxy.failNth({ action: "ListObjectVersions" }, 1, { kind });
  await Bucket.removeByPrefix("derived/x/");
  expect(await Bucket.head("derived/x/y")).toBeUndefined();
});
