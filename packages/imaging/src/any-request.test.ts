import * as fc from "fast-check";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";

import { anyRequest, quickRequest } from "../test/arbitraries.ts";
import { disc, gif, photo } from "../test/samples.ts";
import * as Ladder from "./ladder.ts";
import * as Plan from "./plan.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { Refusal } from "./refusal.ts";
import { render } from "./render.ts";
import * as Request from "./request.ts";

// Properties of any request, checked with random requests.

const all = { avif: true, webp: true };

type Sample = { bytes: Buffer; source: Prepared };
const samples: Sample[] = [];
beforeAll(async () => {
  const images = [
    photo(37, 23).png(),
    photo(1, 1).png(),
    photo(1, 300).jpeg(),
    photo(900, 600).jpeg({ quality: 95 }),
    photo(40, 30).withMetadata({ orientation: 6 }).jpeg(),
    photo(30, 20).toColourspace("cmyk").jpeg(),
    photo(30, 20).toColourspace("rgb16").png(),
    photo(20, 20).grayscale().toColourspace("b-w").ensureAlpha(0.5).png(),
    photo(33, 21).avif({ effort: 0 }),
    photo(3, 3).tiff(),
    disc(30, 20).png(),
    sharp(await gif(12, 9, ["red", "lime", "blue"]), { animated: true }).webp(),
  ];
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="13"><path d="M0 0h9v9z"/></svg>';
  const bytes = [
    ...(await Promise.all(images.map((image) => image.toBuffer()))),
    await gif(12, 9, ["red", "lime", "blue"]),
    Buffer.from(svg),
  ];
  for (const each of bytes)
    samples.push({ bytes: each, source: await prepare(each, { namedCopy: false }) });
});

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });
const anySample = fc.nat(13).map((index) => () => samples[index]!);
const anyCrop = fc.option(fc.tuple(fraction, fraction, fraction, fraction), { nil: undefined });

/** The rectangle that these four fractions describe in an image. */
function cropOf({ width, height }: Prepared, [x, y, w, h]: [number, number, number, number]) {
  const [left, top] = [Math.floor(x * width), Math.floor(y * height)];
  return {
    x: left,
    y: top,
    w: Math.max(1, Math.floor(w * (width - left))),
    h: Math.max(1, Math.floor(h * (height - top))),
  };
}

/** The plan, or undefined where the request is invalid for this image. */
function planOrInvalid(request: Request.Request, source: Prepared) {
  try {
    return Plan.plan(request, source, all);
  } catch (error) {
    if (error instanceof Refusal && error.kind === "invalid") return undefined;
    throw error;
  }
}

test(
  "any request for a valid image is rendered in the planned size or refused by the plan",
  { timeout: 120_000 },
  () =>
    fc.assert(
      fc.asyncProperty(quickRequest, anySample, anyCrop, async (request, sample, crop) => {
        const { bytes, source } = sample();
        const withCrop = { ...request, ...(crop && { crop: cropOf(source, crop) }) };
        const plan = planOrInvalid(withCrop, source);
        if (!plan || plan.width * plan.height > 200_000) return;
        const rung = Ladder.choose(plan, source, source.rungs);
        const output = await render(rung?.data ?? bytes, plan, rung);
        const { width, height, pageHeight, format } = await sharp(output.data, {
          animated: true,
        }).metadata();
        expect([width, pageHeight ?? height]).toEqual([output.width, output.height]);
        // trim changes the layout, so the plan does not know the final size
        const { width: across, height: down } = plan.trim ? output : plan;
        expect([output.width, output.height]).toEqual([across, down]);
        expect(format).toBe(plan.encoding.format === "avif" ? "heif" : plan.encoding.format);
        const { w = Infinity, h = Infinity, dpr = 1, fit } = withCrop;
        const maxEdge = (edge: number) =>
          fit === "outside" ? Infinity : Math.max(1, Math.round(edge * dpr));
        expect(output.width).toBeLessThanOrEqual(maxEdge(w));
        expect(output.height).toBeLessThanOrEqual(maxEdge(h));
      }),
      { numRuns: 150, seed: 20 },
    ),
);

test("equal plans give equal bytes", { timeout: 120_000 }, () =>
  fc.assert(
    fc.asyncProperty(quickRequest, anySample, async (request, sample) => {
      const { bytes, source } = sample();
      const [one, other] = [
        planOrInvalid(request, source),
        planOrInvalid(structuredClone(request), source),
      ];
      if (!one || !other || one.width * one.height > 100_000) return;
      const rung = Ladder.choose(one, source, source.rungs);
      const [first, second] = await Promise.all(
        [one, other].map((plan) => render(rung?.data ?? bytes, plan, rung)),
      );
      expect(first!.data.equals(second!.data)).toBe(true);
    }),
    { numRuns: 40, seed: 21 },
  ),
);

const defaults: Request.Request = {
  dpr: 1,
  fit: "inside",
  pos: "center",
  rot: 0,
  up: false,
  gray: false,
  anim: true,
  f: "auto",
  q: "auto",
  meta: "none",
};

/** The request parsed from its printed query with the keys in another order. */
const reread = (request: Request.Request, offset: number) => {
  const pairs = [...new URLSearchParams(Request.print(request))];
  const reordered = [...pairs.slice(offset), ...pairs.slice(0, offset)].toReversed();
  return Request.parse(Object.fromEntries(reordered.map(([key, value]) => [key, [value]]))).request;
};

test("a plan and its hash do not depend on the order of keys, on defaults or on dl", () =>
  fc.assert(
    fc.property(anyRequest, anySample, fc.nat(20), (request, sample, offset) => {
      const { source } = sample();
      const plan = planOrInvalid(request, source);
      if (!plan) return;
      const equivalent = [
        reread(request, offset),
        { ...defaults, ...(request.ar !== undefined && { fit: "cover" as const }), ...request },
        { ...request, dl: "another name" },
      ].map((other) => planOrInvalid(other, source));
      for (const other of equivalent) {
        expect(other).toEqual(plan);
        expect(Plan.hash(other!)).toBe(Plan.hash(plan));
      }
    }),
    { numRuns: 500 },
  ));
