import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import * as Bucket from "@balde/core/bucket";
import * as ObjectKey from "@balde/core/object-key";
import * as Plan from "@balde/imaging/plan";
import type { Request } from "@balde/imaging/request";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { readyImage } from "../../test/samples.ts";
import * as Deadline from "./deadline.ts";
import * as ImageCache from "./image-cache.ts";
import * as RenderSource from "./render-source.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

test("the source is the smallest rung that is large enough, else the original", async () => {
  const original = await photo(1400, 900).jpeg().toBuffer();
  const { id, rev } = await readyImage(original);
  const image = await ImageCache.get(id, rev, false);
  const read = (w: number) => {
    const plan = Plan.plan({ w, f: "webp" }, image.source, { avif: false, webp: true });
    return RenderSource.read({ image, plan }, Deadline.fromRemaining(Infinity));
  };
  const rungs = image.rungs.map(({ width }) => width);
  expect(rungs).toEqual([1024, 512]);
  expect((await read(512)).from).toEqual({ width: 512, height: 329 });
  expect((await read(513)).from).toEqual({ width: 1024, height: 658 });
  const { image: file, from, isOriginal, dispose } = await read(1025);
  expect([isOriginal, from]).toEqual([true, { width: 1400, height: 900 }]);
  expect((await readFile(file as string)).equals(original)).toBe(true);
  await dispose();
  expect(existsSync(file as string)).toBe(false);

  // a rung that is not stored costs time, not the response
  await Bucket.removeByPrefix(ObjectKey.rungsPrefix(id, rev));
  expect((await read(512)).from).toEqual({ width: 1400, height: 900 });
  await Bucket.removeByPrefix(ObjectKey.original(id, rev));
  await expect(read(512)).rejects.toMatchObject({ code: "image.not_found" });
});

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="30.4" height="20"><circle r="9"/></svg>';
const heic = join(import.meta.dirname, "../../../imaging/test/heif/grid-rotated.heic");

test.each([
  ["an SVG", () => Buffer.from(svg), "png"],
  ["a HEIC", () => readFileSync(heic), "jpeg"],
])("the original of %s is never read", async (_, original, format) => {
  const { id, rev } = await readyImage(original());
  const image = await ImageCache.get(id, rev, false);
  const requests: Request[] = [{}, { w: 12 }, { w: 9, trim: 10 }, { w: 5000, up: true, f: "png" }];
  for (const request of requests) {
    const plan = Plan.plan(request, image.source, { avif: false, webp: true });
    const { image: bytes, from } = await RenderSource.read(
      { image, plan },
      Deadline.fromRemaining(Infinity),
    );
    expect(await sharp(bytes).metadata()).toMatchObject({ format, ...from });
  }
  await Bucket.removeByPrefix(ObjectKey.rungsPrefix(id, rev));
  const plan = Plan.plan({}, image.source, { avif: false, webp: true });
  await expect(
    RenderSource.read({ image, plan }, Deadline.fromRemaining(Infinity)),
  ).rejects.toMatchObject({
    code: "image.not_found",
  });
});
