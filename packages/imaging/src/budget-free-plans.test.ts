import * as fc from "fast-check";
import { expect, test } from "vitest";

import { anyRequest } from "../test/arbitraries.ts";
import type { Fit } from "./layout.ts";
import * as Grid from "./grid.schema.ts";
import * as Plan from "./plan.ts";
import * as BudgetFreePlans from "./budget-free-plans.ts";
import { Refusal } from "./refusal.ts";
import { type Request, parse, print } from "./request.ts";

const source: Plan.Source = {
  width: 6000,
  height: 4000,
  format: "jpeg",
  hasAlpha: false,
  pages: 1,
};
const all = { avif: true, webp: true };
const hash = (request: Request) => Plan.hash(Plan.plan(request, source, all));

/** The rounded request, or the refused keys. */
function snapOrKeys(request: Request, preset?: Request): Request | string[] {
  try {
    return BudgetFreePlans.snap(request, preset);
  } catch (error) {
    if (error instanceof Refusal) return error.problems!.map(({ key }) => key);
    throw error;
  }
}

test.each<[string, Request, Request]>([
  ["a width up to the next edge", { w: 321 }, { w: 384 }],
  ["a width of a box up to the next edge of the grid", { w: 321, h: 480 }, { w: 480, h: 480 }],
  ["a height", { h: 1601 }, { h: 1668 }],
  [
    "each side of a box to the same edge",
    { w: 300, h: 200, fit: "cover" },
    { w: 320, h: 320, fit: "cover" },
  ],
  ["no edge of the grid", { w: 640, h: 160 }, { w: 640, h: 160 }],
  ["a width times dpr", { w: 300, dpr: 2 }, { w: 640, dpr: 1 }],
  ["a width above the grid down to the last edge", { w: 4000 }, { w: 3840 }],
  ["quality to auto", { w: 320, q: 33 }, { w: 320, q: "auto" }],
  ["no request without a size", { f: "webp" }, { f: "webp" }],
])("rounds %s", (_, request, expected) => {
  expect(BudgetFreePlans.snap(request)).toEqual(expected);
});

const tile: Request = { w: 90, h: 60, fit: "cover", bg: "f4e9cd", q: 50 };
test.each<[string, Request, Request]>([
  ["without changes", {}, {}],
  ["in another format or as a download", { f: "webp", dl: "x" }, { f: "webp", dl: "x" }],
  ["at a density of a srcset", { dpr: 1.5 }, { dpr: 2 }],
  ["with dpr limited to 3", { dpr: 4 }, { dpr: 3 }],
  ["with its own quality instead of q", { q: 90 }, {}],
])("a preset is budget-free %s", (_, request, expected) => {
  expect(BudgetFreePlans.snap(request, tile)).toEqual(expected);
});

test("a preset with other changes is rounded like any request", () => {
  expect(snapOrKeys({ w: 100 }, tile)).toEqual(["bg"]);
  expect(snapOrKeys({ w: 100 }, { h: 60, dpr: 2 })).toEqual({ w: 320, h: 160, dpr: 1 });
});

test("parameters that change the picture are refused by name, with the allowed values", () => {
  const request: Request = {
    crop: { x: 0, y: 0, w: 9, h: 9 },
    pos: { x: 0.1, y: 0.2 },
    rot: 90,
    flip: "h",
    up: true,
    trim: 1,
    bg: "123456",
    blur: 2,
    sharpen: 2,
    gray: true,
    f: "gif",
    meta: "copyright",
  };
  expect(snapOrKeys(request)).toEqual(Object.keys(request));
  expect(() => BudgetFreePlans.snap({ pos: { x: 0.1, y: 0.2 } })).toThrow(
    expect.objectContaining({
      kind: "invalid",
      code: "delivery.budget_spent",
      detail: expect.stringMatching(/160, 320.*"pos" = "0.1,0.2" .*allowed is center or attention/),
    }),
  );
  const harmless: Request = { pos: "center", rot: 0, up: false, gray: false, meta: "none" };
  expect(snapOrKeys(harmless)).toEqual(harmless);
});

test.each([
  ["Next's", [640, 750, 828, 1080, 1200, 1920, 2048, 3840, 16, 32, 48, 64, 96, 128, 256, 384]],
  ["unpic's", [640, 750, 828, 960, 1080, 1280, 1668, 1920, 2048, 2560, 3200, 3840]],
  ["Nuxt's, at one and two times", [320, 640, 768, 1024, 1280, 1536, 2048, 2560, 3072]],
  ["the client's", [...Grid.EDGES]],
])("%s default widths are budget-free", (_, widths) => {
  for (const w of widths) expect(BudgetFreePlans.snap({ w, f: "auto" })).toEqual({ w, f: "auto" });
});

test("rounding a rounded request changes nothing, with and without a preset", () => {
  const anyPreset = fc.option(fc.constantFrom(tile, { h: 60, dpr: 2 } satisfies Request), {
    nil: undefined,
  });
  fc.assert(
    fc.property(anyRequest, anyPreset, (request, preset) => {
      const first = snapOrKeys(request, preset);
      if (Array.isArray(first)) return;
      expect(print(BudgetFreePlans.snap(first, preset))).toBe(print(first));
    }),
    { numRuns: 500 },
  );
});

test("the number of budget-free plans is limited", () => {
  const fits: (Fit | undefined)[] = ["cover", "contain", "fill", "inside", "outside", undefined];
  const sides = [undefined, ...Grid.SINGLE_EDGES];
  const hashes = new Set<string>();
  const boxSides: (number | undefined)[] = [undefined, ...Grid.EDGES];
  for (const w of sides)
    for (const h of w === undefined ? sides : boxSides.includes(w) ? boxSides : [undefined])
      for (const fit of fits)
        for (const pos of ["center", "attention"] as const)
          for (const f of ["avif", "webp", "jpeg"] as const) {
            const request = { w, h, fit, pos, f };
            if (isPossible(request)) hashes.add(hash(request));
          }
  expect(hashes.size).toMatchInlineSnapshot(`1800`);

  fc.assert(
    fc.property(anyRequest, (request) => {
      const rounded = snapOrKeys({ ...request, anim: true });
      if (Array.isArray(rounded) || !isPossible(rounded)) return;
      expect(hashes).toContain(hash(rounded));
    }),
    { numRuns: 2000 },
  );
});

function isPossible(request: Request): boolean {
  try {
    hash(request);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

test.each(["16/9", "32:18", "1.6:0.9"])("ar=%s is as free as 16:9, which it equals", (ar) => {
  const { request } = parse({ w: ["640"], ar: [ar] });
  expect(snapOrKeys(request)).toEqual({ w: 640, ar: "16:9" });
});
