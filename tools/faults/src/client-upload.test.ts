import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { type UploadOptions, createClient } from "@balde/client";
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { signIn } from "../../e2e/src/api-calls.ts";
import { sampleImage, sampleJpeg } from "../../e2e/src/sample-image.ts";
import { type Balde, startBalde } from "./start-balde.ts";

// The client's uploads, with a proxy that makes requests to the bucket fail, the client's own too, and with a fetch that makes
// requests to the API fail.

vi.setConfig({ testTimeout: 60_000 });

const MiB = 1024 * 1024;
const HOUR_MS = 3600 * 1000;

let balde: Balde;
let token: Promise<string>;
let picture: Blob;
let small: Blob;
/** Three parts, and no picture. */
const noise = new Blob([randomBytes(17 * MiB)], { type: "image/tiff" });

beforeAll(async () => {
  balde = await startBalde(1);
  token = Promise.resolve(balde.users[0]!.idToken);
  const png = await sampleImage(2000, 1700).png({ compressionLevel: 0 }).toBuffer();
  if (png.length < 8 * MiB) throw new Error("The picture must have two parts");
  picture = new Blob([new Uint8Array(png)], { type: "image/png" });
  small = new Blob([new Uint8Array(await sampleJpeg(64, 48))], { type: "image/jpeg" });
});
afterEach(() => {
  balde.proxy.clear();
  balde.proxy.forget();
});
afterAll(() => balde?.stop());

const fetchWith = (before: (request: Request) => void, after: (request: Request) => void) =>
  (async (...input: Parameters<typeof fetch>) => {
    const request = new Request(...input);
    const { method, url } = request;
    before({ method, url } as Request);
    const response = await fetch(request);
    after({ method, url } as Request);
    return response;
  }) as typeof fetch;

const client = (own = fetch) => createClient(balde.local.api, { token: () => token, fetch: own });

/** Collects the progress, and checks that it never goes back. */
function watch() {
  const seen: number[] = [];
  return {
    onProgress: (sent: number) => {
      expect(sent).toBeGreaterThan(seen.at(-1) ?? -1);
      seen.push(sent);
    },
    last: () => seen.at(-1),
  };
}

/** Moves the clock; the token expires as well, and every request from now on has a new one. */
function expireAfter(ms: number) {
  token = balde.cloud.clock.advance(ms).then(async () => (await signIn(balde.local, 0)).idToken);
  return token;
}

const quick: UploadOptions = { retryDelayMs: 10 };
const sentParts = () => balde.proxy.calls({ action: "UploadPart" });

async function openKeys() {
  const { iam, region, s3 } = balde.cloud.local;
  const bucket = new S3Client({
    region,
    credentials: iam,
    endpoint: s3!.endpoint,
    forcePathStyle: true,
  });
  const { Uploads = [] } = await bucket.send(
    new ListMultipartUploadsCommand({ Bucket: s3!.bucket }),
  );
  return Uploads.map(({ Key }) => Key);
}

test.each(["drop", "lostAnswer", "error500", "throttled", "cut"] as const)(
  "a file in parts arrives whole although its parts fail by %s",
  async (kind) => {
    balde.proxy.failNth({ action: "UploadPart" }, 1, { kind }, 3);
    const { onProgress, last } = watch();
    const image = await client().upload(picture, {}, { ...quick, method: "parts", onProgress });
    expect(image).toMatchObject({ state: "ready", width: 2000, bytes: picture.size });
    expect(last()).toBe(picture.size);
    // a part whose answer was lost is not sent again
    const isStored = kind === "lostAnswer" || kind === "cut";
    expect(sentParts().filter(({ fault }) => fault)).toHaveLength(isStored ? 2 : 3);
    expect(sentParts()).toHaveLength(isStored ? 2 : 5);
  },
);

test.each(["drop", "lostAnswer", "error500"] as const)(
  "a file in a form arrives although the form fails by %s",
  async (kind) => {
    balde.proxy.failNth({ action: "PostObject" }, 1, { kind }, 2);
    const { onProgress } = watch();
    const image = await client().upload(picture, {}, { ...quick, onProgress });
    expect(image).toMatchObject({ state: "ready", width: 2000 });
    expect(balde.proxy.calls({ action: "UploadPart" })).toEqual([]);
  },
);

test("a larger file is sent in parts, and a lost answer of any call of the API loses nothing", async () => {
  const lost = new Set<string>();
  const own = fetchWith(
    () => {},
    ({ method, url }) => {
      const call = `${method} ${new URL(url).pathname.replace(/img_\w+/, "{id}")}`;
      if (lost.has(call)) return;
      lost.add(call);
      throw new TypeError("The connection was lost");
    },
  );
  const options = { ...quick, resolveWhenStored: true };
  const image = await client(own).upload(noise, {}, options);
  expect([...lost].map((call) => call.replace(/^(\w+) .*\/v1/, "$1 /v1"))).toEqual([
    "POST /v1/uploads",
    "POST /v1/uploads/{id}/parts",
    "POST /v1/uploads/{id}/complete",
  ]);
  expect(sentParts()).toHaveLength(3);
  const { items } = await (await client().v1.me.images.$get({ query: { limit: "1" } })).json();
  expect(items[0]!.id).toBe(image.id);
});

test("an address that has expired before its part was sent is signed again", async () => {
  const until = () => expireAfter(HOUR_MS + 1000);
  balde.proxy.failNth({ action: "UploadPart" }, 1, { kind: "hold", until });
  // small, so that S3's early refusal leaves nothing of it on the way
  await client().upload(small, {}, { ...quick, method: "parts" });
  expect(sentParts()).toHaveLength(2);
});

test("a form that has expired is renewed", async () => {
  const until = () => expireAfter(HOUR_MS / 2);
  balde.proxy.failNth({ action: "PostObject" }, 1, { kind: "hold", until });
  await client().upload(small, {}, quick);
  expect(balde.proxy.calls({ action: "PostObject" })).toHaveLength(2);
});

test("a paused upload sends nothing, and goes on where it was", async () => {
  let resumed = () => {};
  const halfway = new Promise<void>((resolve) => (resumed = resolve));
  const { onProgress, last } = watch();
  const task = client().startUpload(
    noise,
    {},
    {
      ...quick,
      resolveWhenStored: true,
      onProgress(sent) {
        onProgress(sent);
        if (sent >= 8 * MiB) resumed();
      },
    },
  );
  await halfway;
  task.pause();
  task.pause();
  const { v1 } = client();
  const { items } = await (await v1.me.images.$get({ query: { limit: "1" } })).json();
  const { id } = items[0]!;
  const state = async () => (await v1.uploads[":id"].$get({ param: { id } })).json();
  // what was under way when it was paused may still arrive
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { parts: before } = await state();
  const count = sentParts().length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(sentParts()).toHaveLength(count);
  expect((await state()).parts).toEqual(before);
  task.resume();
  await task.done;
  expect(last()).toBe(noise.size);
  expect(sentParts().length).toBeLessThanOrEqual(count + 3 - before!.length);
});

test("pausing interrupts the part that is under way, which is sent again", async () => {
  const until = async () => {
    task.pause();
    // as long as the proxy needs to see that the connection has ended
    await new Promise((resolve) => setTimeout(resolve, 100));
    task.resume();
  };
  balde.proxy.failNth({ action: "UploadPart" }, 1, { kind: "hold", until });
  const task = client().startUpload(noise, {}, { ...quick, resolveWhenStored: true });
  await task.done;
  expect(sentParts().length).toBeGreaterThan(3);
});

test("after a reload only what is missing is sent, and only of a file of the same size", async () => {
  let id: `img_${string}` | undefined;
  let arrived = () => {};
  const first = new Promise<void>((resolve) => (arrived = resolve));
  const closed = client().startUpload(
    noise,
    {},
    {
      ...quick,
      onCreated: (image) => (id = image.id),
      onProgress: (sent) => sent >= 8 * MiB && arrived(),
    },
  );
  await first;
  closed.pause();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { parts } = await (await client().v1.uploads[":id"].$get({ param: { id: id! } })).json();
  expect(parts!.length).toBeGreaterThan(0);
  balde.proxy.forget();
  const other = client().resumeUpload(id!, noise.slice(1), quick);
  await expect(other.done).rejects.toThrow(RangeError);
  const { onProgress, last } = watch();
  const options = { ...quick, resolveWhenStored: true, onProgress };
  const image = await client().resumeUpload(id!, noise, options).done;
  expect([image.id, last()]).toEqual([id, noise.size]);
  expect(sentParts()).toHaveLength(3 - parts!.length);
  // once more: the bucket has all of it
  balde.proxy.forget();
  await client().resumeUpload(id!, noise, { ...quick, resolveWhenStored: true }).done;
  expect(sentParts()).toEqual([]);
});

test.each(["form", "parts"] as const)(
  "an upload by %s that is aborted leaves nothing on the server",
  async (method) => {
    const controller = new AbortController();
    let id: `img_${string}` | undefined;
    const action = method === "form" ? "PostObject" : "UploadPart";
    const until = async () => controller.abort(new Error("Enough"));
    balde.proxy.failNth({ action }, 1, { kind: "hold", until });
    const options: UploadOptions = {
      ...quick,
      method,
      signal: controller.signal,
      onCreated: (image) => (id = image.id),
    };
    const ended = client().upload(picture, {}, options);
    await expect(ended).rejects.toThrow("Enough");
    const state = client().v1.uploads[":id"].$get({ param: { id: id! } });
    await expect(state).rejects.toMatchObject({ code: "upload.not_found" });
    expect(await openKeys()).not.toContain(`uploads/${id}`);
  },
);

test("a bucket that does not come back ends the upload with its error, and the upload can be resumed", async () => {
  let id: `img_${string}` | undefined;
  balde.proxy.failNth({ action: "UploadPart" }, 1, { kind: "error500" }, 1_000);
  const options: UploadOptions = { retryDelayMs: 1, onCreated: (image) => (id = image.id) };
  const failed = client().upload(picture, {}, { ...options, method: "parts" });
  await expect(failed).rejects.toMatchObject({ code: "storage.InternalError" });
  balde.proxy.clear();
  expect(await client().resumeUpload(id!, picture, quick).done).toMatchObject({ state: "ready" });
});
