import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Fit } from "./layout.ts";
import * as Limits from "./limits.ts";
import * as Plan from "./plan.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";

const all = { avif: true, webp: true };
const none = { avif: false, webp: false };
const source = (width: number, height: number, more: Partial<Plan.Source> = {}): Plan.Source => ({
  width,
  height,
  format: "jpeg",
  hasAlpha: false,
  pages: 1,
  ...more,
});
const size = ({ width, height }: { width: number; height: number }) => [width, height];
const planned = (request: Request, of = source(1000, 600)) => Plan.plan(request, of, none);

const edge = fc.integer({ min: 1, max: 4096 });
const anySource = fc.record({
  width: fc.integer({ min: 1, max: 10_000 }),
  height: fc.integer({ min: 1, max: 10_000 }),
});
const fits: Fit[] = ["cover", "contain", "fill", "inside", "outside"];
const anySizes: fc.Arbitrary<Request> = fc.record(
  {
    w: edge,
    h: edge,
    dpr: fc.constantFrom(1, 1.5, 2, 3, 4),
    fit: fc.constantFrom(...fits),
    up: fc.boolean(),
    rot: fc.constantFrom(0, 90, 180, 270),
    pos: fc.constantFrom<Request["pos"]>("center", "top-left", "attention", { x: 0.2, y: 0.9 }),
  },
  { requiredKeys: [] },
);

test.each<[string, Request, [number, number]]>([
  ["no parameters: the size of the image", {}, [1000, 600]],
  ["one side: the other follows", { w: 500 }, [500, 300]],
  ["the other side", { h: 300 }, [500, 300]],
  ["inside a box", { w: 500, h: 500 }, [500, 300]],
  ["outside a box", { w: 500, h: 500, fit: "outside" }, [833, 500]],
  ["cover a box", { w: 500, h: 500, fit: "cover" }, [500, 500]],
  ["contain in a box", { w: 500, h: 500, fit: "contain" }, [500, 500]],
  ["fill a box", { w: 500, h: 500, fit: "fill" }, [500, 500]],
  ["twice the pixels", { w: 400, dpr: 2 }, [800, 480]],
  ["not enlarged", { w: 2000 }, [1000, 600]],
  ["not enlarged by dpr", { w: 800, dpr: 4 }, [1000, 600]],
  ["enlarged when asked", { w: 2000, up: true }, [2000, 1200]],
  ["a cover too large keeps its shape", { w: 1200, h: 1200, fit: "cover" }, [600, 600]],
  ["a fill too large keeps its shape", { w: 2000, h: 600, fit: "fill" }, [1000, 300]],
  ["an enlarged cover", { w: 1200, h: 1200, fit: "cover", up: true }, [1200, 1200]],
  ["a contain keeps its box, not its scale", { w: 1200, h: 900, fit: "contain" }, [1200, 900]],
  ["turned: the box is what is seen", { w: 300, rot: 90 }, [300, 500]],
  ["a crop is the picture", { crop: { x: 0, y: 0, w: 400, h: 400 }, w: 200 }, [200, 200]],
  ["one pixel high stays one", { w: 1, h: 1 }, [1, 1]],
])("%s", (_, request, expected) => expect(size(planned(request))).toEqual(expected));

test("the output is within the limits and at least one pixel on each side", () =>
  fc.assert(
    fc.property(anySizes, anySource, (request, { width, height }) => {
      const { scale, ...plan } = planned(request, source(width, height));
      expect(plan.width * plan.height).toBeLessThanOrEqual(Limits.MAX_OUTPUT_PIXELS);
      expect(Math.max(plan.width, plan.height)).toBeLessThanOrEqual(Limits.MAX_OUTPUT_EDGE);
      expect(scale.width * scale.height).toBeLessThanOrEqual(Limits.MAX_SCALED_PIXELS);
      expect(Math.min(plan.width, plan.height, scale.width, scale.height)).toBeGreaterThanOrEqual(
        1,
      );
    }),
    { numRuns: 1000 },
  ));

test("nothing is enlarged without up", () =>
  fc.assert(
    fc.property(anySizes, anySource, (request, of) => {
      const { scale } = planned({ ...request, up: false }, source(of.width, of.height));
      const [width, height] = size(Plan.swapSidesIfTurned(of, request.rot ?? 0));
      expect(scale.width).toBeLessThanOrEqual(width!);
      expect(scale.height).toBeLessThanOrEqual(height!);
    }),
    { numRuns: 1000 },
  ));

test("the aspect ratio is kept within a pixel, except for fill", () =>
  fc.assert(
    fc.property(anySizes, anySource, (request, of) => {
      const { scale } = planned(
        { ...request, fit: request.fit === "fill" ? "inside" : request.fit },
        source(of.width, of.height),
      );
      const { width, height } = Plan.swapSidesIfTurned(of, request.rot ?? 0);
      const exact = (scale.width / width) * height;
      const slack = Math.max(height / width, 1);
      expect(Math.abs(scale.height - exact)).toBeLessThanOrEqual(slack + 1e-9);
    }),
    { numRuns: 1000 },
  ));

test("the crop lies inside the scaled image, and the padding fills the box", () =>
  fc.assert(
    fc.property(anySizes, anySource, (request, of) => {
      const { scale, cut, pad, width, height } = planned(request, source(of.width, of.height));
      const { left, top } = typeof cut === "object" ? cut : { left: 0, top: 0 };
      const around = pad ?? { left: 0, top: 0, right: 0, bottom: 0 };
      expect(Math.min(left, top, ...Object.values(around))).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(scale.width + around.left + around.right);
      expect(top + height).toBeLessThanOrEqual(scale.height + around.top + around.bottom);
      expect(cut !== undefined || width === scale.width + around.left + around.right).toBe(true);
      expect(cut !== undefined || height === scale.height + around.top + around.bottom).toBe(true);
    }),
    { numRuns: 1000 },
  ));

test("requesting the size of a picture from that picture gives the same size", () =>
  fc.assert(
    fc.property(fc.record({ w: edge, h: edge }, { requiredKeys: [] }), anySource, (request, of) => {
      const once = planned(request, source(of.width, of.height));
      if (Math.max(once.width, once.height) > 4096) return;
      const twice = planned({ w: once.width, h: once.height }, source(once.width, once.height));
      expect(size(twice)).toEqual(size(once));
    }),
  ));

test("a focal point is kept as near to the middle as the edge allows", () => {
  const at = (pos: Request["pos"]) => planned({ w: 300, h: 600, fit: "cover", pos }).cut;
  expect(at("center")).toEqual({ left: 350, top: 0 });
  expect(at({ x: 0.2, y: 0.5 })).toEqual({ left: 50, top: 0 });
  expect(at({ x: 0.01, y: 0 })).toEqual({ left: 0, top: 0 });
  expect(at("right")).toEqual({ left: 700, top: 0 });
  expect(at("entropy")).toBe("entropy");
});

test("the image's own focal point is used unless the request has pos", () => {
  const withFocal = source(1000, 600, { focal: { x: 0.9, y: 0.5 } });
  const request: Request = { w: 300, h: 600, fit: "cover" };
  expect(planned(request, withFocal).cut).toEqual({ left: 700, top: 0 });
  expect(planned({ ...request, pos: "left" }, withFocal).cut).toEqual({ left: 0, top: 0 });
});

test.each<[string, Request, Partial<Plan.Source>, typeof all, string]>([
  ["AVIF where it is accepted", {}, {}, all, "avif"],
  ["WebP where AVIF is not accepted", {}, {}, { avif: false, webp: true }, "webp"],
  ["JPEG where neither is accepted", {}, {}, none, "jpeg"],
  ["PNG instead of JPEG for transparency", {}, { hasAlpha: true }, none, "png"],
  ["JPEG for transparency with a background", { bg: "ff0000" }, { hasAlpha: true }, none, "jpeg"],
  ["WebP for an animation", {}, { pages: 3 }, all, "webp"],
  ["GIF for an animation where WebP is not accepted", {}, { pages: 3 }, none, "gif"],
  ["AVIF for the first frame of an animation", { anim: false }, { pages: 3 }, all, "avif"],
  ["the requested format", { f: "png" }, {}, all, "png"],
  ["WebP where AVIF would take too long", {}, { width: 4000, height: 3000 }, all, "webp"],
])("%s", (_, request, more, accepted, format) => {
  expect(Plan.plan(request, source(1000, 600, more), accepted).encoding.format).toBe(format);
});

test.each<[string, Request, Partial<Plan.Source>, string]>([
  ["a crop outside the picture", { crop: { x: 900, y: 0, w: 200, h: 5 } }, {}, "crop"],
  ["a crop below the picture", { crop: { x: 0, y: 599, w: 5, h: 2 } }, {}, "crop"],
  ["an AVIF that takes too long", { f: "avif" }, { width: 4000, height: 3000 }, "f"],
  ["a moving JPEG", { f: "jpeg" }, { pages: 3 }, "f"],
  ["a movie turned", { rot: 90 }, { pages: 3 }, "rot"],
  ["a movie trimmed", { trim: 0 }, { pages: 3 }, "trim"],
])("%s is refused by name", (_, request, more, key) => {
  const planOf = () => Plan.plan(request, source(1000, 600, more), all);
  expect(planOf).toThrow(Refusal);
  expect(planOf).toThrow(
    expect.objectContaining({ kind: "invalid", problems: [expect.objectContaining({ key })] }),
  );
});

test("an animation with too much work is refused with a hint to a smaller w", () => {
  const planOf = (w?: number) =>
    Plan.plan({ ...(w && { w }) }, source(1000, 1000, { pages: 100 }), all);
  expect(() => planOf()).toThrow(/smaller w/);
  expect(size(planOf(500))).toEqual([500, 500]);
});

test("equivalent requests have the same plan hash", () => {
  const hash = (request: Request, accepted = all) =>
    Plan.hash(Plan.plan(request, source(1000, 600), accepted));
  expect(hash({ w: 500 })).toBe(hash({ h: 300 }));
  expect(hash({ w: 500 })).toBe(hash({ dpr: 2, w: 250, fit: "inside", q: "auto", f: "auto" }));
  expect(hash({ w: 5000 as 4096 })).toBe(hash({}));
  expect(hash({ w: 500, dl: "holiday" })).toBe(hash({ w: 500 }));
  expect(hash({ f: "auto" }, all)).toBe(hash({ f: "avif" }, none));
  expect(hash({ w: 500 })).toMatch(/^[0-9a-f]{20}$/);
});

test("different requests have different plan hashes", () => {
  const requests: Request[] = [
    {},
    { w: 500 },
    { w: 501 },
    { w: 500, q: 40 },
    { w: 500, f: "webp" },
    { w: 500, f: "jpeg" },
    { w: 500, gray: true },
    { w: 500, blur: 2 },
    { w: 500, sharpen: 1 },
    { w: 500, rot: 180 },
    { w: 500, flip: "h" },
    { w: 500, flip: "v" },
    { w: 500, trim: 10 },
    { w: 500, bg: "ff0000" },
    { w: 500, crop: { x: 0, y: 0, w: 999, h: 600 } },
    { w: 300, h: 300, fit: "cover" },
    { w: 300, h: 300, fit: "cover", pos: "left" },
    { w: 300, h: 300, fit: "cover", pos: "attention" },
    { w: 300, h: 300, fit: "contain" },
    { w: 300, h: 300, fit: "contain", bg: "000000" },
    { w: 300, h: 300, fit: "fill" },
  ];
  const hashes = requests.map((request) => Plan.hash(Plan.plan(request, source(1000, 600), all)));
  expect(new Set(hashes).size).toBe(requests.length);
});

test("the bars of a contain are white, or transparent for an image with transparency", () => {
  const background = (hasAlpha: boolean) =>
    planned({ w: 500, h: 500, fit: "contain" }, source(1000, 600, { hasAlpha })).background;
  expect(background(false)).toBe("ffffff");
  expect(background(true)).toBe("00000000");
});
