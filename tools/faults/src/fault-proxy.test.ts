import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { type Cloud, loadGraph, startCloud } from "@balde/local-cloud";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { createFaultProxy } from "./fault-proxy.ts";

const root = resolve(import.meta.dirname, "../../..");
const data = mkdtempSync(join(tmpdir(), "balde-faults-"));
const proxy = createFaultProxy();
let cloud: Cloud;
let s3: S3Client;
let dynamodb: DynamoDBClient;
let sqs: SQSClient;
let table: { TableName: string };
let queue: { QueueUrl: string };
let bucket: { Bucket: string };

beforeAll(async () => {
  const graph = loadGraph(join(root, "infra/stack.json"));
  const resources = graph.resources.filter(({ type }) => /^aws:(s3|dynamodb|sqs)\//.test(type));
  cloud = await startCloud({ graph: { ...graph, resources, functions: {} }, root, data });
  const { local } = cloud;
  const common = { region: local.region, credentials: local.iam, maxAttempts: 1 };
  const requestHandler = { requestTimeout: 1_000, throwOnRequestTimeout: true };
  const options = { ...common, requestHandler };
  const urls = {
    s3: await proxy.before("S3", local.s3!.endpoint),
    dynamodb: await proxy.before("DYNAMODB", local.dynamodb!.endpoint),
    sqs: await proxy.before("SQS", local.sqs!.endpoint),
  };
  s3 = new S3Client({ ...options, endpoint: urls.s3, forcePathStyle: true });
  dynamodb = new DynamoDBClient({ ...options, endpoint: urls.dynamodb });
  sqs = new SQSClient({ ...options, endpoint: urls.sqs, useQueueUrlAsEndpoint: false });
  bucket = { Bucket: local.s3!.bucket };
  table = { TableName: local.dynamodb!.table };
  queue = { QueueUrl: Object.values(local.sqs!.queues)[0]! };
});

afterEach(() => {
  proxy.clear();
  proxy.forget();
});

afterAll(async () => {
  await proxy.stop();
  await cloud?.stop();
  rmSync(data, { recursive: true, force: true });
});

const store = (Key: string, Body = "0123456789") =>
  s3.send(new PutObjectCommand({ ...bucket, Key, Body }));
const read = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ ...bucket, Key }));
  return Body!.transformToString();
};
const putItem = (pk: string) =>
  dynamodb.send(new PutItemCommand({ ...table, Item: { pk: { S: pk }, sk: { S: "META" } } }));
const getItem = async (pk: string) => {
  const Key = { pk: { S: pk }, sk: { S: "META" } };
  return (await dynamodb.send(new GetItemCommand({ ...table, Key }))).Item;
};
const sendMessage = (MessageBody: string) =>
  sqs.send(new SendMessageCommand({ ...queue, MessageBody }));

const reset = { code: "ECONNRESET" };

test("without a rule every signed call passes, and is recorded with its action and key", async () => {
  await store("a/b c.txt");
  expect(await read("a/b c.txt")).toBe("0123456789");
  await s3.send(new DeleteObjectCommand({ ...bucket, Key: "a/b c.txt" }));
  await putItem("ONE");
  expect(await getItem("ONE")).toBeDefined();
  await sendMessage("hello");
  expect(proxy.calls()).toEqual([
    { service: "S3", action: "PutObject", key: "a/b c.txt" },
    { service: "S3", action: "GetObject", key: "a/b c.txt" },
    { service: "S3", action: "DeleteObject", key: "a/b c.txt" },
    { service: "DYNAMODB", action: "PutItem", key: "ONE META" },
    { service: "DYNAMODB", action: "GetItem", key: "ONE META" },
    { service: "SQS", action: "SendMessage", key: "hello" },
  ]);
  expect(proxy.calls({ service: "S3", key: /^a/ })).toHaveLength(3);
});

test("a dropped request does not reach the service, a lost answer was carried out", async () => {
  proxy.failNth({ action: "PutObject" }, 1, { kind: "drop" });
  await expect(store("dropped")).rejects.toMatchObject(reset);
  await expect(read("dropped")).rejects.toMatchObject({ name: "NoSuchKey" });

  proxy.failNth({ action: "PutItem" }, 1, { kind: "lostAnswer" });
  await expect(putItem("LOST")).rejects.toMatchObject(reset);
  expect(await getItem("LOST")).toBeDefined();
});

test("errors have the form of each service, and change nothing", async () => {
  const allFail = (kind: "throttled" | "error500") => {
    for (const service of ["S3", "DYNAMODB", "SQS"] as const)
      proxy.failNth({ service }, 1, { kind });
  };
  allFail("throttled");
  await expect(store("no")).rejects.toMatchObject({
    name: "SlowDown",
    $metadata: { httpStatusCode: 503 },
  });
  await expect(putItem("NO")).rejects.toMatchObject({
    name: "ProvisionedThroughputExceededException",
  });
  await expect(sendMessage("no")).rejects.toMatchObject({ name: "RequestThrottled" });
  allFail("error500");
  await expect(store("no")).rejects.toMatchObject({ name: "InternalError" });
  await expect(putItem("NO")).rejects.toMatchObject({ name: "InternalServerError" });
  await expect(sendMessage("no")).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  expect(await getItem("NO")).toBeUndefined();
  await expect(read("no")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test.each(["cut", "stall"] as const)(
  "a response ends in the middle of its body: %s",
  async (kind) => {
    await store("half", "x".repeat(1_000));
    proxy.failNth({ action: "GetObject" }, 1, { kind });
    const { Body } = await s3.send(new GetObjectCommand({ ...bucket, Key: "half" }));
    const stream = Body as unknown as NodeJS.ReadableStream & { destroy(): void };
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of stream) bytes += chunk.length;
      return "ended";
    })().catch(() => "broken");
    const quiet = new Promise((done) => setTimeout(done, 300, "silent"));
    expect(await Promise.race([reading, quiet])).toBe(kind === "cut" ? "broken" : "silent");
    expect(bytes).toBe(500);
    stream.destroy();
  },
);

test("the n-th call that matches fails, and the others do not", async () => {
  proxy.failNth({ service: "DYNAMODB", action: "PutItem", key: /^N/ }, 2, { kind: "drop" });
  await putItem("N1");
  await putItem("OTHER");
  await expect(putItem("N2")).rejects.toMatchObject(reset);
  await putItem("N3");
  expect(proxy.calls().map(({ fault }) => fault)).toEqual([
    undefined,
    undefined,
    "drop",
    undefined,
  ]);
});

test("a call and its repeats fail so many times, and other calls do not", async () => {
  proxy.failNth({ action: "PutItem" }, 1, { kind: "error500" }, 2);
  await expect(putItem("AGAIN")).rejects.toMatchObject({ name: "InternalServerError" });
  await putItem("OTHER");
  await expect(putItem("AGAIN")).rejects.toMatchObject({ name: "InternalServerError" });
  await putItem("AGAIN");
  expect(proxy.calls({ key: /^AGAIN/ }).map(({ fault }) => fault)).toEqual([
    "error500",
    "error500",
    undefined,
  ]);
});

test("the same seed chooses the same faults", async () => {
  const faults: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    proxy.clear();
    proxy.forget();
    proxy.failRandomly({ seed: 7, rate: 0.5, kinds: ["drop", "throttled"], action: "PutItem" });
    for (let n = 0; n < 20; n++) await putItem(`R${n}`).catch(() => {});
    faults.push(proxy.calls().map(({ fault }) => fault ?? "none"));
  }
  expect(new Set(faults[0] as string[])).toEqual(new Set(["none", "drop", "throttled"]));
  expect(faults[0]).toEqual(faults[1]);
});

test("a call can be held, and is delivered when it is released", async () => {
  const released = Promise.withResolvers<void>();
  proxy.failNth({ action: "PutItem" }, 1, { kind: "hold", until: () => released.promise });
  const writing = putItem("HELD");
  expect(await getItem("HELD")).toBeUndefined();
  released.resolve();
  await writing;
  expect(await getItem("HELD")).toBeDefined();
});
