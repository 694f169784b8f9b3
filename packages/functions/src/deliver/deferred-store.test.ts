import * as Bucket from "@balde/core/bucket";
import * as Plan from "@balde/imaging/plan";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import * as DeferredStore from "./deferred-store.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());
beforeAll(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.clearAllTimers());
afterAll(() => void vi.useRealTimers());

const source = { width: 100, height: 80, format: "jpeg", hasAlpha: false, pages: 1 } as const;
const plan = Plan.plan({ f: "webp" }, source, { avif: false, webp: true });
const data = Buffer.from("an image");

let count = 0;
/** A render, and the errors that its lease ended with. */
function started(whole: Promise<Buffer> = Promise.resolve(data)) {
  const key = `derived/test/${++count}.webp`;
  const byRequest = { key: `derived/test/by-request/${count}`, plan: "revision-plan" };
  const ends: unknown[] = [];
  const lease = { end: async (error?: unknown) => void ends.push(error) };
  return { key, byRequest, ends, ...DeferredStore.create({ key, byRequest, plan }, whole, lease) };
}

test("the derivative is stored when the response was sent, and its lease ends", async () => {
  const { key, byRequest, ends, store } = started();
  await vi.advanceTimersByTimeAsync(499);
  expect([await Bucket.head(key), ends]).toEqual([undefined, []]);
  await store();
  expect((await Bucket.read(key))?.equals(data)).toBe(true);
  expect((await Bucket.read(byRequest.key))?.equals(data)).toBe(true);
  expect((await Bucket.head(byRequest.key))?.metadata).toEqual({ plan: byRequest.plan });
  expect(ends).toEqual([undefined]);
});

test("when a client reads slowly, the derivative is stored half a second after the render", async () => {
  const render = Promise.withResolvers<Buffer>();
  const { key, stored } = started(render.promise);
  await vi.advanceTimersByTimeAsync(60_000);
  render.resolve(data);
  await vi.advanceTimersByTimeAsync(499);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await stored;
  expect(await Bucket.head(key)).toBeDefined();
});

test("a derivative that is stored already stays as it is", async () => {
  const { key, store, ends } = started();
  await Bucket.put(key, Buffer.from("first"), { type: "image/webp" });
  await store();
  expect(String(await Bucket.read(key))).toBe("first");
  expect(ends).toEqual([undefined]);
});

test("a render that fails is not stored, and its lease ends with the error", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const error = new Error("the encoder failed");
  const { key, ends, store } = started(Promise.reject(error));
  await store();
  expect([await Bucket.head(key), ends]).toEqual([undefined, [error]]);
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ key, error }));
  log.mockRestore();
});
