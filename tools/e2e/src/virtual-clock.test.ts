import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Cloud, loadGraph, startCloud } from "@balde/local-cloud";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Local } from "./stage.ts";
import { requestUpload, postForm, send, waitForIngest, signIn } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

// Moving the virtual clock expires what has an expiry, and breaks nothing else.

const DAY = 24 * 3600 * 1000;
const root = resolve(import.meta.dirname, "../../..");
let cloud: Cloud;
let local: Local;
let data: string;

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "balde-clock-"));
  cloud = await startCloud({ graph: loadGraph(join(root, "infra/stack.json")), root, data });
  const ann = { name: "ann", password: "Picture-book-1" };
  cloud.createUser({ ...ann, email: "ann@example.com" });
  local = { ...cloud.local, users: [ann] } as unknown as Local;
});

afterAll(async () => {
  await cloud?.stop();
  rmSync(data, { recursive: true, force: true });
});

test("a day later, older tokens, forms and signed URLs have expired, and a new upload is delivered", async () => {
  const before = await signIn(local, 0);
  const bytes = new Uint8Array(await sampleJpeg(64, 48, 3));
  const old = await requestUpload(before, bytes);
  expect((await before.send("GET", "/v1/me")).status).toBe(200);
  const created = await before.send("POST", "/v1/images", bytes, { "content-type": "image/jpeg" });
  const { id } = (await created.json()) as { id: string };
  await waitForIngest(local, id);
  const signed = await before.send("POST", `/v1/images/${id}/urls`, {
    requests: [{ w: 24 }],
    seconds: 3600,
  });
  const { urls } = (await signed.json()) as { urls: string[] };
  expect((await fetch(urls[0]!)).status).toBe(200);

  await cloud.clock.advance(DAY);
  expect((await before.send("GET", "/v1/me")).status).toBe(401);
  expect((await postForm(old.upload, bytes, "image/jpeg")).status).toBe(403);
  const expired = await fetch(urls[0]!);
  expect([expired.status, await expired.json()]).toMatchObject([
    404,
    { code: "delivery.signature_expired" },
  ]);

  const after = await signIn(local, 0);
  expect((await after.send("GET", "/v1/me")).status).toBe(200);
  const { image, upload } = await requestUpload(after, bytes, { name: "late.jpg" });
  expect((await postForm(upload, bytes, "image/jpeg")).status).toBe(201);
  const ready = await waitForIngest(local, image.id);
  expect(ready).toMatchObject({ state: "ready", width: 64, height: 48 });
  const small = await send(local, "GET", `/i/${image.id}/${ready.rev}?w=32&f=png`);
  expect(small.status).toBe(200);
  expect((await send(local, "GET", "/s3?image=late.jpg")).status).toBe(200);
  expect((await after.send("PUT", `/v1/images/${image.id}/like`)).status).toBe(200);
  // functions use the virtual clock too
  const { createdAt } = (await (await send(local, "GET", `/v1/images/${image.id}`)).json()) as {
    createdAt: string;
  };
  expect(Math.abs(Date.parse(createdAt) - cloud.clock.now())).toBeLessThan(60_000);
});

test("an upload in parts that is abandoned frees its share and its name after a day, and its parts after two", async () => {
  const before = await signIn(local, 0);
  const about = { type: "image/tiff", bytes: 20_000_000, name: "abandoned.tif" };
  const created = (await (await before.send("POST", "/v1/uploads", about)).json()) as Created;
  const { id } = created.image;
  const signed = await before.send("POST", `/v1/uploads/${id}/parts`, { numbers: [3] });
  const { parts } = (await signed.json()) as { parts: { url: string; bytes: number }[] };
  const part = { method: "PUT", body: new Uint8Array(parts[0]!.bytes) };
  expect((await fetch(parts[0]!.url, part)).status).toBe(200);
  const openUploads = async (user: typeof before) => {
    const usage = await (await user.send("GET", "/v1/me/usage")).json();
    return (usage as { openUploads: { used: number } }).openUploads.used;
  };
  const used = await openUploads(before);
  expect(await openKeys()).toContain(`uploads/${id}`);

  await cloud.clock.advance(DAY + 1000);
  const after = await signIn(local, 0);
  expect((await after.send("GET", `/v1/uploads/${id}`)).status).toBe(404);
  expect((await after.send("POST", `/v1/uploads/${id}/complete`)).status).toBe(404);
  expect(await openUploads(after)).toBe(used - 1);
  const again = await after.send("POST", "/v1/uploads", about);
  expect(again.status).toBe(201);
  // S3 counts to the next midnight
  await cloud.clock.advance(DAY);
  await expect.poll(openKeys, { timeout: 10_000 }).not.toContain(`uploads/${id}`);
});

type Created = { image: { id: string } };

/** The keys of the uploads in parts that the bucket holds open. */
async function openKeys() {
  const { iam, region, s3: bucket } = cloud.local;
  const s3 = new S3Client({
    region,
    credentials: iam,
    endpoint: bucket!.endpoint,
    forcePathStyle: true,
  });
  const command = new ListMultipartUploadsCommand({ Bucket: bucket!.bucket });
  return ((await s3.send(command)).Uploads ?? []).map(({ Key }) => Key);
}
