import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import * as Bucket from "@balde/core/bucket";
import * as Dynamo from "@balde/core/dynamo";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { ready } from "../../test/ready.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import { serveImage } from "./serve-image.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let picture: Awaited<ReturnType<typeof ready>>;
let bytes: Buffer;
beforeAll(async () => {
  cloud = await startCloud();
  bytes = await photo(2800, 1900).jpeg({ quality: 90 }).toBuffer();
  picture = await ready(bytes);
});
afterAll(() => cloud.stop());

const wish = (query: Record<string, string>, of = picture): DeliveryRequest => ({
  host: "api.example",
  ...of,
  preset: undefined,
  query: Object.fromEntries(Object.entries(query).map(([key, value]) => [key, [value]])),
  isHead: false,
  accept: "*/*",
  ifNoneMatch: undefined,
  range: undefined,
  ifRange: undefined,
});

async function answered(asked: DeliveryRequest) {
  const { headers, body = Buffer.alloc(0), afterSent } = await serveImage(asked);
  const { length } = Buffer.isBuffer(body) ? body : await buffer(body);
  await afterSent?.();
  return { timing: headers["Server-Timing"]!, bytes: length };
}

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

/** A process that is up and has asked for nothing yet. */
async function another() {
  const child = fork(new URL("../../test/deliver.child.ts", import.meta.url));
  children.add(child);
  await once(child, "message");
  return child;
}

async function asking(child: ChildProcess, asked: DeliveryRequest) {
  child.send(asked);
  const [said] = await once(child, "message");
  return said as { timing: string; bytes: number };
}

/** The row that says who makes a picture. */
async function held({ id }: typeof picture) {
  for (;;) {
    for await (const row of Dynamo.query(RenderLease.imageQuery(id))) if (row["lease"]) return;
    await sleep(5);
  }
}

test.each([
  ["on the grid", { w: "1600", f: "avif" }],
  ["off the grid", { w: "1601", f: "avif" }],
])(
  "processes that are asked for the same picture at once make it once, %s",
  async (_, query) => {
    const others = await Promise.all([another(), another(), another()]);
    const all = await Promise.all([
      ...others.map((child) => asking(child, wish(query))),
      answered(wish(query)),
    ]);
    expect(all.filter(({ timing }) => timing.includes("render")).length).toBe(1);
    expect(new Set(all.map(({ bytes }) => bytes)).size).toBe(1);
  },
  60_000,
);

test("of a process that is killed while it makes a picture another takes over, when its lease is over", async () => {
  const large = await ready(bytes);
  const asked = wish({ w: "2560", f: "avif" }, large);
  const child = await another();
  child.send(asked);
  await held(large);
  child.kill("SIGKILL");
  const start = performance.now();
  const { timing } = await answered(asked);
  expect(timing).toMatch(/wait;.*render;/);
  const render = Number(/render;dur=([\d.]+)/.exec(timing)![1]);
  expect(performance.now() - start - render).toBeLessThan(RenderLease.LEASE_MS + 1_000);
}, 60_000);

test("whoever waits for a picture that is refused is refused alike, and soon", async () => {
  const { id, rev } = await ready(await photo(300, 200).jpeg().toBuffer());
  const source = await Bucket.read(ObjectKey.original(id, rev));
  const broken = source!.subarray(0, source!.length / 2);
  await Bucket.put(ObjectKey.original(id, rev), broken, { type: "image/jpeg" });
  const asked = wish({ w: "160" }, { id, rev });
  const truncated = { kind: "unprocessable", code: "image.truncated" };
  await expect(answered(asked)).rejects.toMatchObject(truncated);
  // nobody tries again what has just failed
  await Bucket.put(ObjectKey.original(id, rev), source!, { type: "image/jpeg" });
  const start = performance.now();
  await expect(answered(asked)).rejects.toMatchObject(truncated);
  expect(performance.now() - start).toBeLessThan(1_000);
});

test("whoever waits for a process that fails by no fault of the picture tries himself, at once", async () => {
  const { id, rev } = await ready(await photo(300, 200).jpeg().toBuffer());
  const asked = wish({ w: "160" }, { id, rev });
  const source = await Bucket.read(ObjectKey.original(id, rev));
  await Bucket.removeByPrefix(ObjectKey.original(id, rev));
  await expect(answered(asked)).rejects.toMatchObject({ code: "image.not_found" });
  await Bucket.put(ObjectKey.original(id, rev), source!, { type: "image/jpeg" });
  const start = performance.now();
  expect((await answered(asked)).timing).toContain("render");
  expect(performance.now() - start).toBeLessThan(1_000);
});
