import * as fc from "fast-check";
import { expect, test } from "vitest";

import * as Ladder from "./ladder.ts";
import * as Plan from "./plan.ts";
import type { Request } from "./request.ts";

const source: Plan.Source = {
  width: 6000,
  height: 4000,
  format: "jpeg",
  hasAlpha: false,
  pages: 1,
};
const rungs = Ladder.rungs(source).map((size) => ({ ...size, contentType: "image/jpeg" }));
const chosen = (request: Request, more: Partial<Plan.Source> = {}) => {
  const of = { ...source, ...more };
  const plan = Plan.plan(request, of, { avif: true, webp: true });
  return { plan, rung: Ladder.choose(plan, of, rungs) };
};
const crop = { x: 1000, y: 1000, w: 3000, h: 2000 };

test.each<[string, Request, number | undefined]>([
  ["the smallest rung that is large enough", { w: 300 }, 512],
  ["a rung of exactly this size", { w: 512 }, 512],
  ["no rung that is a pixel too small", { w: 513 }, 1024],
  ["the original where each rung is too small", { w: 2001 }, undefined],
  ["the original for its own size", {}, undefined],
  ["a rung whose both sides are large enough", { w: 300, h: 600, fit: "cover" }, 1024],
  ["the other side for a rotated picture", { w: 400, rot: 90 }, 1024],
  ["twice the pixels for a crop", { w: 300, crop }, 2000],
  ["the original where no rung has twice the pixels for a crop", { w: 600, crop }, undefined],
  [
    "twice the pixels on the larger side for a crop that is squeezed",
    { w: 100, h: 300, fit: "fill", crop },
    2000,
  ],
  ["the original for trim", { w: 300, trim: 10 }, undefined],
])("%s", (_, request, width) => expect(chosen(request).rung?.width).toBe(width));

test("a lossless output of a lossless image is made from the original", () => {
  expect(chosen({ w: 300, f: "png" }, { format: "png" }).rung).toBeUndefined();
  expect(chosen({ w: 300, f: "webp" }, { format: "png" }).rung?.width).toBe(512);
  expect(chosen({ w: 300, f: "webp", q: "lossless" }, { format: "png" }).rung).toBeUndefined();
  expect(chosen({ w: 300, f: "png" }, { format: "jpeg" }).rung?.width).toBe(512);
});

test("a rung has at most 0.8 of the original's long side", () => {
  expect(Ladder.rungs({ width: 640, height: 480 })).toEqual([{ width: 512, height: 384 }]);
  expect(Ladder.rungs({ width: 639, height: 480 })).toEqual([]);
});

test("an animation is made from the original", () => {
  expect(chosen({ w: 300 }, { width: 600, height: 400, pages: 4 }).rung).toBeUndefined();
});

test("a rung is never enlarged", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4096 }),
      fc.integer({ min: 1, max: 4096 }),
      fc.constantFrom("cover", "contain", "fill", "inside", "outside"),
      (w, h, fit) => {
        const { plan, rung } = chosen({ w, h, fit });
        expect(rung?.width ?? Infinity).toBeGreaterThanOrEqual(plan.scale.width);
        expect(rung?.height ?? Infinity).toBeGreaterThanOrEqual(plan.scale.height);
      },
    ),
  ));

test("an SVG is delivered from the smallest rung that is large enough, else from the largest", () => {
  const drawing = { ...source, width: 3000, height: 1500, format: "svg" } as const;
  const rungs = Ladder.allRungs(drawing).map((size) => ({ ...size, contentType: "image/png" }));
  expect(rungs.map(({ width, height }) => [width, height])).toEqual([
    [3000, 1500],
    [2048, 1024],
    [1024, 512],
    [512, 256],
  ]);
  const width = (request: Request) => {
    const plan = Plan.plan(request, drawing, { avif: true, webp: true });
    return Ladder.choose(plan, drawing, rungs.toReversed())?.width;
  };
  expect(width({ w: 300 })).toBe(512);
  expect(width({ w: 2048, f: "png" })).toBe(2048);
  expect(width({})).toBe(3000);
  expect(width({ w: 4000, up: true })).toBe(3000);
  expect(width({ w: 90, trim: 10 })).toBe(3000);
  expect(width({ w: 2000, crop: { x: 0, y: 0, w: 20, h: 20 }, up: true })).toBe(3000);
});
