import * as fc from "fast-check";
import { expect, test } from "vitest";

import { anyRequest } from "../test/arbitraries.ts";
import type { Fit } from "./layout.ts";
import * as Grid from "./grid.schema.ts";
import * as Plan from "./plan.ts";
import * as BudgetFreePlans from "./budget-free-plans.ts";
import { Refusal } from "./refusal.ts";
import { type Request, keys, print } from "./request.ts";

const source: Plan.Source = {
  width: 6000,
  height: 4000,
  format: "jpeg",
  hasAlpha: false,
  pages: 1,
};
const all = { avif: true, webp: true };
const hash = (request: Request) => Plan.hash(Plan.plan(request, source, all));

/** What is rounded, or what is refused. */
function snapped(asked: Request, preset?: Request): Request | string[] {
  try {
    return BudgetFreePlans.snap(asked, preset);
  } catch (error) {
    if (error instanceof Refusal) return error.problems!.map(({ key }) => key);
    throw error;
  }
}

test.each<[string, Request, Request]>([
  ["a width up to the next", { w: 321 }, { w: 480 }],
  ["a height", { h: 1601 }, { h: 1920 }],
  ["each side of a box", { w: 300, h: 200, fit: "cover" }, { w: 320, h: 320, fit: "cover" }],
  ["what is on the grid not at all", { w: 640, h: 160 }, { w: 640, h: 160 }],
  ["in device pixels", { w: 300, dpr: 2 }, { w: 640, dpr: 1 }],
  ["what is above the grid down to its end", { w: 4000 }, { w: 3840 }],
  ["quality to auto", { w: 320, q: 33 }, { w: 320, q: "auto" }],
  ["and its own size is its own size", { f: "webp" }, { f: "webp" }],
])("rounds %s", (_, asked, expected) => {
  expect(BudgetFreePlans.snap(asked)).toEqual(expected);
});

const tile: Request = { w: 90, h: 60, fit: "cover", bg: "f4e9cd", q: 50 };
test.each<[string, Request, Request]>([
  ["as it is", {}, {}],
  ["in a format, as a file", { f: "webp", dl: "x" }, { f: "webp", dl: "x" }],
  ["at a density of its srcset", { dpr: 1.5 }, { dpr: 2 }],
  ["at most at three", { dpr: 4 }, { dpr: 3 }],
  ["at its own quality", { q: 90 }, {}],
])("a preset is published %s", (_, asked, expected) => {
  expect(BudgetFreePlans.snap(asked, tile)).toEqual(expected);
});

test("a preset of which more is changed is a request like any other", () => {
  expect(snapped({ w: 100 }, tile)).toEqual(["bg"]);
  expect(snapped({ w: 100 }, { h: 60, dpr: 2 })).toEqual({ w: 320, h: 160, dpr: 1 });
});

test("what would show another picture is refused by name, with what is allowed", () => {
  const asked: Request = {
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
  expect(snapped(asked)).toEqual(Object.keys(asked));
  expect(() => BudgetFreePlans.snap({ pos: { x: 0.1, y: 0.2 } })).toThrow(
    expect.objectContaining({
      kind: "invalid",
      code: "delivery.budget_spent",
      detail: expect.stringMatching(/160, 320.*"pos" = "0.1,0.2" .*allowed is center or attention/),
    }),
  );
  const harmless: Request = { pos: "center", rot: 0, up: false, gray: false, meta: "none" };
  expect(snapped(harmless)).toEqual(harmless);
});

test("what is rounded is rounded once, over a preset or not, and its address says the same", () => {
  const anyPreset = fc.option(fc.constantFrom(tile, { h: 60, dpr: 2 } satisfies Request), {
    nil: undefined,
  });
  fc.assert(
    fc.property(anyRequest, anyPreset, (asked, preset) => {
      const first = snapped(asked, preset);
      if (Array.isArray(first)) return;
      expect(print(BudgetFreePlans.snap(first, preset))).toBe(print(first));
    }),
    { numRuns: 500 },
  );
});

test("whatever is asked, there are no more plans than these", () => {
  const fits: (Fit | undefined)[] = ["cover", "contain", "fill", "inside", "outside", undefined];
  const sides = [undefined, ...Grid.EDGES];
  const published = new Set<string>();
  for (const w of sides)
    for (const h of sides)
      for (const fit of fits)
        for (const pos of ["center", "attention"] as const)
          for (const f of ["avif", "webp", "jpeg"] as const) {
            const request = { w, h, fit, pos, f };
            if (isPossible(request)) published.add(hash(request));
          }
  expect(published.size).toMatchInlineSnapshot(`1711`);

  fc.assert(
    fc.property(anyRequest, (asked) => {
      const request = snapped({ ...asked, anim: true });
      if (Array.isArray(request) || !isPossible(request)) return;
      expect(published).toContain(hash(request));
    }),
    { numRuns: 2000 },
  );
  // whoever adds a key decides here what becomes of it
  expect(keys).toHaveLength(22);
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
