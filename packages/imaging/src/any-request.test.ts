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

// What holds of any request whatever.

const all = { avif: true, webp: true };

type Kept = { bytes: Buffer; source: Prepared };
const kept: Kept[] = [];
beforeAll(async () => {
  const made = [
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
    ...(await Promise.all(made.map((picture) => picture.toBuffer()))),
    await gif(12, 9, ["red", "lime", "blue"]),
    Buffer.from(svg),
  ];
  for (const each of bytes)
    kept.push({ bytes: each, source: await prepare(each, { namedCopy: false }) });
});

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });
const anyPicture = fc.nat(13).map((index) => () => kept[index]!);
const anyCrop = fc.option(fc.tuple(fraction, fraction, fraction, fraction), { nil: undefined });

/** Some part of a picture. */
function part({ width, height }: Prepared, [x, y, w, h]: [number, number, number, number]) {
  const [left, top] = [Math.floor(x * width), Math.floor(y * height)];
  return {
    x: left,
    y: top,
    w: Math.max(1, Math.floor(w * (width - left))),
    h: Math.max(1, Math.floor(h * (height - top))),
  };
}

/** The plan, or undefined where what is asked cannot be had of this picture: the plan says so by the key to blame. */
function planned(request: Request.Request, source: Prepared) {
  try {
    return Plan.plan(request, source, all);
  } catch (error) {
    if (error instanceof Refusal && error.kind === "invalid") return undefined;
    throw error;
  }
}

test(
  "of a sound picture whatever is asked is made, in exactly the planned size, or was refused by its plan",
  { timeout: 120_000 },
  () =>
    fc.assert(
      fc.asyncProperty(quickRequest, anyPicture, anyCrop, async (request, picture, crop) => {
        const { bytes, source } = picture();
        const asked = { ...request, ...(crop && { crop: part(source, crop) }) };
        const plan = planned(asked, source);
        if (!plan || plan.width * plan.height > 200_000) return;
        const rung = Ladder.choose(plan, source, source.rungs);
        const made = await render(rung?.data ?? bytes, plan, rung);
        const { width, height, pageHeight, format } = await sharp(made.data, {
          animated: true,
        }).metadata();
        expect([width, pageHeight ?? height]).toEqual([made.width, made.height]);
        // what is left without its border is laid out anew
        const { width: across, height: down } = plan.trim ? made : plan;
        expect([made.width, made.height]).toEqual([across, down]);
        expect(format).toBe(plan.encoding.format === "avif" ? "heif" : plan.encoding.format);
        const { w = Infinity, h = Infinity, dpr = 1, fit } = asked;
        const most = (edge: number) =>
          fit === "outside" ? Infinity : Math.max(1, Math.round(edge * dpr));
        expect(made.width).toBeLessThanOrEqual(most(w));
        expect(made.height).toBeLessThanOrEqual(most(h));
      }),
      { numRuns: 250, seed: 20 },
    ),
);

test("equal plans make equal bytes", { timeout: 120_000 }, () =>
  fc.assert(
    fc.asyncProperty(quickRequest, anyPicture, async (request, picture) => {
      const { bytes, source } = picture();
      const [one, other] = [planned(request, source), planned(structuredClone(request), source)];
      if (!one || !other || one.width * one.height > 100_000) return;
      const [first, second] = await Promise.all([render(bytes, one), render(bytes, other)]);
      expect(first.data.equals(second.data)).toBe(true);
    }),
    { numRuns: 60, seed: 21 },
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

/** As it was read from a query whose keys stand in another order. */
const reread = (request: Request.Request, turn: number) => {
  const pairs = [...new URLSearchParams(Request.print(request))];
  const turned = [...pairs.slice(turn), ...pairs.slice(0, turn)].toReversed();
  return Request.parse(Object.fromEntries(turned.map(([key, value]) => [key, [value]]))).request;
};

test("a plan and its name do not depend on how the request is spelled", () =>
  fc.assert(
    fc.property(anyRequest, anyPicture, fc.nat(20), (request, picture, turn) => {
      const { source } = picture();
      const plan = planned(request, source);
      if (!plan) return;
      const spelled = [
        reread(request, turn),
        { ...defaults, ...request },
        { ...request, dl: "another name" },
      ].map((other) => planned(other, source));
      for (const other of spelled) {
        expect(other).toEqual(plan);
        expect(Plan.hash(other!)).toBe(Plan.hash(plan));
      }
    }),
    { numRuns: 500 },
  ));
