import * as Bucket from "@balde/core/bucket";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import * as Plan from "@balde/imaging/plan";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { readyImage } from "../../test/samples.ts";
import * as Deadline from "./deadline.ts";
import * as DerivativeStore from "./derivative-store.ts";
import * as ImageCache from "./image-cache.ts";
import * as Reencode from "./reencode.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

/** An AVIF as the first request left it; its bytes do not matter here. */
async function firstDerivative() {
  const { id, rev } = await readyImage(await photo(1400, 900).jpeg().toBuffer());
  const image = await ImageCache.get(id, rev, false);
  const plan = Plan.plan({ w: 160, f: "avif" }, image.source, { avif: true, webp: true });
  const planHash = Plan.hash(plan);
  const key = ObjectKey.derivative(id, rev, `${planHash}.avif`);
  const byRequest = { key: ObjectKey.derivativeByRequest(id, "request"), plan: planHash };
  const first = Buffer.from("the first");
  await DerivativeStore.put({ key, byRequest }, first, { type: "image/avif" });
  return { delivery: { key, byRequest, image, plan, planHash }, stored: (await current(key))! };
}
const current = (key: string) => DerivativeStore.get(key, { isHead: true });
const soon = () => Deadline.fromRemaining(Infinity);

test("the second encoding replaces the first one, and one process at a time makes it", async () => {
  const { delivery, stored } = await firstDerivative();
  const { key, byRequest, image, planHash } = delivery;
  const other = await RenderLease.acquire({
    imageId: image.id,
    plan: `${planHash}-better`,
    needsBudget: false,
  });
  await Reencode.run(delivery, stored, soon());
  expect(await current(key)).toMatchObject({ isReencoded: false });
  if (other.type === "acquired") await RenderLease.release(other.lease);
  await Reencode.run(delivery, stored, soon());
  const { bytes } = (await current(key))!;
  expect(await current(key)).toMatchObject({ isReencoded: true });
  expect(await current(byRequest.key)).toMatchObject({ isReencoded: true, bytes, plan: planHash });
});

test("a derivative that changed or was erased meanwhile is left alone", async () => {
  const { delivery, stored } = await firstDerivative();
  await Bucket.put(delivery.key, Buffer.from("another"), { type: "image/avif" });
  await Reencode.run(delivery, stored, soon());
  expect(await current(delivery.key)).toMatchObject({
    isReencoded: false,
    bytes: "another".length,
  });

  const erased = await firstDerivative();
  await Bucket.removeByPrefix(ObjectKey.derivativesPrefix(erased.delivery.image.id));
  await Reencode.run(erased.delivery, erased.stored, soon());
  expect(await current(erased.delivery.key)).toBeUndefined();
  expect(await current(erased.delivery.byRequest.key)).toBeUndefined();
});

test("one response in a hundred is followed by another encoding, when the first one is ten seconds old", async () => {
  const { stored, delivery } = await firstDerivative();
  const { plan } = delivery;
  const share = (of: DerivativeStore.Stored, byPlan = plan) =>
    Array.from({ length: 20_000 }, () => Reencode.isDue(byPlan, of)).filter(Boolean).length /
    20_000;
  expect(share(stored)).toBe(0);
  const old = { ...stored, lastModified: new Date(Date.now() - 11_000) };
  expect(share(old)).toBeGreaterThan(0.5 / Reencode.ONE_IN);
  expect(share(old)).toBeLessThan(2 / Reencode.ONE_IN);
  expect(share({ ...old, isReencoded: true })).toBe(0);
  expect(share({ ...old, contentRange: "bytes 0-1/9" })).toBe(0);
  expect(share(old, { ...plan, width: 3000, height: 2000 })).toBe(0);
  expect(share(old, { ...plan, encoding: { format: "gif" } })).toBe(0);
});

test("an encoding that takes too long is given up, and only the log tells", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { delivery, stored } = await firstDerivative();
  await Reencode.run(delivery, stored, performance.now());
  expect(await current(delivery.key)).toMatchObject({ isReencoded: false });
  expect(log).toHaveBeenCalledWith(
    expect.objectContaining({ error: expect.objectContaining({ code: "image.too_complex" }) }),
  );
});
