import * as Bucket from "@balde/core/bucket";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import * as DerivativeStore from "./derivative-store.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const first = "derived/test/first.webp";
const reencoded = "derived/test/reencoded.webp";
beforeAll(async () => {
  const body = Buffer.from("0123456789");
  await Bucket.put(first, body, { type: "image/webp" });
  // the words that objects are marked with since before the code said "reencoded"
  await Bucket.put(reencoded, body, { type: "image/webp", metadata: { effort: "better" } });
});

async function found(key: string, part: Partial<DerivativeStore.Part>) {
  const stored = await DerivativeStore.get(key, { isHead: false, ...part });
  return stored && { ...stored, body: stored.body && (await text(stored.body)) };
}

test("a derivative is found whole, with what the bucket says about it", async () => {
  expect(await found(first, {})).toEqual({
    body: "0123456789",
    bytes: 10,
    contentRange: undefined,
    bucketETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    lastModified: expect.any(Date),
    isReencoded: false,
  });
  expect(await found(reencoded, {})).toMatchObject({ isReencoded: true });
  expect(await found("derived/test/never.webp", {})).toBeUndefined();
});

test("HEAD finds the same without a body", async () => {
  const { body: _, contentRange: __, ...about } = (await found(first, {}))!;
  expect(await found(first, { isHead: true, range: { from: 1, to: 2 } })).toEqual(about);
});

test("a range is read from the bucket", async () => {
  const part = { body: "12", bytes: 2, contentRange: "bytes 1-2/10" };
  expect(await found(first, { range: { from: 1, to: 2 } })).toMatchObject(part);
  await expect(found(first, { range: { from: 10 } })).rejects.toMatchObject({
    name: "RangeNotSatisfiable",
    size: 10,
  });
});

test("a client with parts of one encoding gets a part of that encoding, and of the other one the whole", async () => {
  const range = { from: 1, to: 2 };
  for (const [key, rangeOf, body] of [
    [first, "first", "12"],
    [first, "reencoded", "0123456789"],
    [reencoded, "first", "0123456789"],
    [reencoded, "reencoded", "12"],
  ] as const)
    expect((await found(key, { range, rangeOf }))?.body).toBe(body);
  // behind the end of this one, and maybe within the one that the client has
  expect((await found(reencoded, { range: { from: 10 }, rangeOf: "first" }))?.body).toBe(
    "0123456789",
  );
});
