import * as Bucket from "@balde/core/bucket";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import * as Plan from "@balde/imaging/plan";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { ready } from "../../test/ready.ts";
import * as Reencode from "./reencode.ts";
import * as Deadline from "./deadline.ts";
import * as ImageCache from "./image-cache.ts";
import * as DerivativeStore from "./derivative-store.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

/** An AVIF as its first visitor left it: here any bytes will do. */
async function first() {
  const { id, rev } = await ready(await photo(700, 500).jpeg().toBuffer());
  const picture = await ImageCache.get(id, rev, false);
  const accepted = { avif: true, webp: true };
  const plan = Plan.plan({ w: 640, f: "avif" }, picture.source, accepted);
  const hash = Plan.hash(plan);
  const key = ObjectKey.derived(id, rev, `${hash}.avif`);
  await Bucket.put(key, Buffer.from("the first"), { type: "image/avif" });
  const found = (await DerivativeStore.get(key, { isHead: true, range: undefined }))!;
  return { key, found, order: { key, image: picture, plan, planHash: hash } };
}
const soon = () => Deadline.fromRemaining(Infinity);
const now = (key: string) => DerivativeStore.get(key, { isHead: true, range: undefined });

test("the better one takes the place of the first, and one process at a time makes it", async () => {
  const { key, found, order } = await first();
  const wanted = { imageId: order.image.id, plan: `${order.planHash}-better`, needsBudget: false };
  const other = await RenderLease.acquire(wanted);
  await Reencode.run(order, found, soon());
  expect(await now(key)).toMatchObject({ isReencoded: false });
  if (other.type === "acquired") await RenderLease.release(other.lease);
  await Reencode.run(order, found, soon());
  expect(await now(key)).toMatchObject({ isReencoded: true });
});

test("it takes no other's place, and does not bring back what was erased", async () => {
  const { key, found, order } = await first();
  await Bucket.put(key, Buffer.from("another"), { type: "image/avif" });
  await Reencode.run(order, found, soon());
  expect(await now(key)).toMatchObject({ isReencoded: false, bytes: "another".length });

  const gone = await first();
  await Bucket.removeByPrefix(gone.key);
  await Reencode.run(gone.order, gone.found, soon());
  expect(await now(gone.key)).toBeUndefined();
});

test("one answer in so many makes it better, when the first rush is over", async () => {
  const { found, order } = await first();
  const share = (it: DerivativeStore.Stored, plan = order.plan) =>
    Array.from({ length: 20_000 }, () => Reencode.isDue(plan, it)).filter(Boolean).length / 20_000;
  expect(share(found)).toBe(0);
  const old = { ...found, lastModified: new Date(Date.now() - 11_000) };
  expect(share(old)).toBeGreaterThan(0.5 / Reencode.ONE_IN);
  expect(share(old)).toBeLessThan(2 / Reencode.ONE_IN);
  expect(share({ ...old, isReencoded: true })).toBe(0);
  expect(share({ ...old, contentRange: "bytes 0-1/9" })).toBe(0);
  expect(share(old, { ...order.plan, width: 3000, height: 2000 })).toBe(0);
  expect(share(old, { ...order.plan, encoding: { format: "gif" } })).toBe(0);
});

test("what takes too long is given up, and nobody hears of it but the log", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { key, found, order } = await first();
  await Reencode.run(order, found, performance.now());
  expect(await now(key)).toMatchObject({ isReencoded: false });
  expect(log).toHaveBeenCalledWith(
    expect.objectContaining({ error: expect.objectContaining({ code: "image.too_complex" }) }),
  );
});
