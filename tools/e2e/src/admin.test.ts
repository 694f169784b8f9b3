import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import {
  type Image,
  type User,
  send,
  waitForIngest,
  signIn,
  upload,
  pollUntil,
} from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let ann: User;
let operator: AwsClient;
let image: Image;

beforeAll(async () => {
  stage = await openStage();
  const { iam, region } = stage.local;
  operator = new AwsClient({ ...iam!, region, service: "execute-api", retries: 0 });
  ann = await signIn(stage.local, 0);
  const sent = await upload(ann, new Uint8Array(await sampleJpeg(1200, 900, 41)), {
    name: "again.jpg",
  });
  image = await waitForIngest(stage.local, sent.image.id);
});

afterAll(() => stage?.stop());

async function callAdmin<Result>(method: string, path: string, body?: object) {
  const answer = await operator.fetch(`${stage.local.api}/admin/v1${path}`, {
    method,
    ...(body && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  return { status: answer.status, body: (await answer.json()) as Result };
}

type Depth = { waiting: number; inFlight: number; delayed: number };
type State = {
  queues: Record<"ingest" | "ingestDead" | "sync" | "outboxDead" | "countDead", Depth>;
  images: Record<string, number>;
  next: string | null;
};

test("an operator sees the depth of the queues and the number of images per state", async () => {
  const { status, body } = await callAdmin<State>("GET", "/state");
  const depth = { waiting: expect.any(Number), inFlight: expect.any(Number), delayed: 0 };
  expect(status).toBe(200);
  expect(body).toMatchObject({
    queues: {
      ingest: depth,
      ingestDead: { waiting: 0 },
      sync: depth,
      outboxDead: { waiting: 0 },
      countDead: { waiting: 0 },
    },
    images: { pending: 0, rejected: 0, deleted: 0 },
    next: null,
  });
  expect(body.images.ready).toBeGreaterThan(0);
  await ann.send("POST", "/v1/uploads", { type: "image/jpeg", bytes: 1000 });
  const after = await callAdmin<State>("GET", "/state");
  expect(after.body.images.pending).toBe(1);
});

test.each([
  ["one image", () => ({ imageId: image.id }), 1],
  ["one owner", async () => ({ ownerId: await ownerOf(image.id) }), 2],
  ["everything", () => ({ everything: true }), 2],
])("reprocessing %s changes nothing but the version", async (_, which, least) => {
  const before = await read(image.id);
  const { status, body } = await callAdmin<{ sent: number; next: null }>(
    "POST",
    "/reprocess",
    await which(),
  );
  expect([status, body.next]).toEqual([202, null]);
  expect(body.sent).toBeGreaterThanOrEqual(least);

  const after = await pollUntil(
    20_000,
    () => read(image.id),
    ({ version }) => version > before.version,
  );
  expect(after.version).toBe(before.version + 1);
  const { version: _v, updatedAt: _u, ...same } = before;
  expect(after).toMatchObject(same);
  const delivered = await send(stage.local, "GET", `/i/${image.id}/${image.rev}?w=320`);
  expect(delivered.status).toBe(200);
  expect((await send(stage.local, "GET", "/s3?image=again.jpg")).status).toBe(200);
});

test.each([
  [{}, 400, "input.invalid"],
  [{ everything: true, ownerId: "ann" }, 400, "input.invalid"],
  [{ everything: false }, 400, "input.invalid"],
  [{ imageId: "img_00000000000000000000000000" }, 404, "image.not_found"],
  [{ everything: true, cursor: "made-up" }, 400, "cursor.invalid"],
])("reprocessing %j is rejected with the reason", async (body, status, code) => {
  expect(await callAdmin("POST", "/reprocess", body)).toMatchObject({
    status,
    body: { status, code },
  });
});

test("a redrive of an empty dead-letter queue starts no task", async () => {
  const { status, body } = await callAdmin("POST", "/redrive");
  expect([status, body]).toEqual([202, { task: "none", messages: 0 }]);
});

test("a redrive moves a dead letter back, and it is processed", async () => {
  const { sqs } = stage.local;
  if (!sqs) return;
  // sent there directly, as if it had failed twenty times
  await sendMessage(sqs.endpoint, sqs.queues["IngestDead"]!, {
    kind: "reprocess",
    imageId: image.id,
  });
  expect((await callAdmin<State>("GET", "/state")).body.queues.ingestDead.waiting).toBe(1);
  const before = await read(image.id);
  expect(await callAdmin("POST", "/redrive")).toMatchObject({
    status: 202,
    body: { task: "started", messages: 1 },
  });
  const after = await pollUntil(
    20_000,
    () => read(image.id),
    ({ version }) => version > before.version,
  );
  expect(after.version).toBe(before.version + 1);
  expect((await callAdmin<State>("GET", "/state")).body.queues.ingestDead.waiting).toBe(0);
});

test.each([
  ["a request without credentials", {}],
  ["a user's token", { authorization: "token" }],
  ["an API key", { "x-api-key": "0123456789abcdefghijklmnopqrstuvwxyz" }],
])("%s does not open the admin API", async (_, headers: Record<string, string>) => {
  const sent = headers.authorization ? { authorization: `Bearer ${ann.idToken}` } : headers;
  const answer = await send(stage.local, "GET", "/admin/v1/state", undefined, sent);
  expect(answer.status).toBe(403);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
});

test("a signature with a wrong secret is rejected", async () => {
  const { iam, region } = stage.local;
  const wrongSecret = new AwsClient({
    accessKeyId: iam!.accessKeyId,
    secretAccessKey: "not-the-secret",
    region,
    service: "execute-api",
    retries: 0,
  });
  const answer = await wrongSecret.fetch(`${stage.local.api}/admin/v1/redrive`, { method: "POST" });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ code: "gateway.invalid_signature" });
});

const read = async (id: string) =>
  (await (await send(stage.local, "GET", `/v1/images/${id}`)).json()) as Image & {
    version: number;
    ownerId: string;
    updatedAt: string;
  };

const ownerOf = async (id: string) => (await read(id)).ownerId;

async function sendMessage(endpoint: string, QueueUrl: string, body: object) {
  const { iam, region } = stage.local;
  const sqs = new AwsClient({ ...iam!, region, service: "sqs", retries: 0 });
  const answer = await sqs.fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.SendMessage",
    },
    body: JSON.stringify({ QueueUrl, MessageBody: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
}
