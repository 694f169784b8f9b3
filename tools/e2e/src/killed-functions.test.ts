import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { createFaultProxy } from "@balde/faults";
import { seedFromEnvironment, seededRandom } from "@balde/faults/random";
import { type Cloud, loadGraph, startCloud } from "@balde/local-cloud";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type UploadForm, type User, signIn, upload, waitForIngest } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";
import type { Local } from "./stage.ts";

// What a failure of ingest costs: seconds, not the visibility timeout of its queue. The local cloud only.

const root = resolve(import.meta.dirname, "../../..");
const data = mkdtempSync(join(tmpdir(), "balde-killed-"));
const graph = loadGraph(join(root, "infra/stack.json"));
const [ingest] = Object.entries(graph.functions).find(([, { name }]) => name === "IngestHandler")!;
const seed = seedFromEnvironment();
const proxy = createFaultProxy();
let cloud: Cloud;
let local: Local;
let ann: User;
let bytes: Uint8Array<ArrayBuffer>;
/** Ingest works on it for a second. */
let large: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  cloud = await startCloud({ graph, root, data, functionEndpoint: proxy.before });
  const user = { name: "ann", password: "Picture-book-1" };
  cloud.createUser({ ...user, email: "ann@example.com" });
  local = { ...cloud.local, users: [user] } as unknown as Local;
  ann = await signIn(local, 0);
  bytes = new Uint8Array(await sampleJpeg(1200, 800));
  large = new Uint8Array(await sampleJpeg(5000, 3400));
});

afterAll(async () => {
  await cloud?.stop();
  await proxy.stop();
  rmSync(data, { recursive: true, force: true });
});

test(
  `twenty-five killed processes delay uploads by seconds (SEED=${seed})`,
  { timeout: 300_000 },
  async () => {
    const random = seededRandom(seed);
    const uploads: UploadForm[] = [];
    const uploading = (async () => {
      for (let each = 0; each < 13; each++) uploads.push(await upload(ann, large));
    })();
    // a process that is killed in its first milliseconds could not tell SQS yet: then its message comes back after a minute and a half
    const MIN_BUSY_MS = 500;
    for (let killed = 0; killed < 25; await sleep(random() * 100))
      killed += cloud.killProcesses(ingest, MIN_BUSY_MS);
    await uploading;
    const start = performance.now();
    const images = await Promise.all(
      uploads.map(({ image }) => waitForIngest(local, image.id, 150_000)),
    );
    expect(images.map(({ state }) => state)).toEqual(images.map(() => "ready"));
    // an owner has a share of ingest, so the last image also waits for the others. On a busy machine a process may be killed
    // before it could tell SQS: its message comes back after the queue's minute and a half
    expect(performance.now() - start).toBeLessThan(150_000);
  },
);

test("an error that outlasts the retries of one attempt delays an upload by seconds", async () => {
  proxy.failNth(
    { service: "S3", action: "GetObject", key: /^uploads/ },
    1,
    { kind: "error500" },
    9,
  );
  const start = performance.now();
  const { image } = await upload(ann, bytes);
  expect((await waitForIngest(local, image.id)).state).toBe("ready");
  expect(proxy.calls({ key: /^uploads/ }).filter(({ fault }) => fault)).toHaveLength(9);
  expect(performance.now() - start).toBeLessThan(20_000);
});
