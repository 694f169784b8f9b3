import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import * as Preset from "./preset.ts";

const presets = Preset.read({ tile: "w=90&h=60&fit=cover", banner: "h=200&f=webp&bg=FFF" });

test("a preset is written in the grammar's own words", () => {
  expect(Object.fromEntries(presets)).toEqual({
    tile: { w: 90, h: 60, fit: "cover" },
    banner: { h: 200, f: "webp", bg: "ffffff" },
  });
});

test("what the request says comes before what the preset says, and is added where it says nothing", () => {
  expect(Preset.apply(presets, "tile", {})).toEqual({ w: 90, h: 60, fit: "cover" });
  expect(Preset.apply(presets, "tile", { w: 45, q: 30 })).toEqual({
    w: 45,
    h: 60,
    fit: "cover",
    q: 30,
  });
});

test.each(["poster", "constructor", "x".repeat(500)])(
  "%s is refused with those that are",
  (name) => {
    expect(() => Preset.apply(presets, name, {})).toThrow(
      expect.objectContaining({
        kind: "not_found",
        code: "delivery.no_such_preset",
        detail: expect.stringMatching(/^.{1,150}the presets are banner, tile$/),
      }),
    );
  },
);

test.each([
  ["a key that is none", { tile: "width=90" }],
  ["a value that is none", { tile: "w=0" }],
  ["a key twice", { tile: "w=1&w=2" }],
  ["neither w nor h", { tile: "q=30" }],
  ["a signature", { tile: `w=1&exp=1900000000&kid=a&sig=${"A".repeat(43)}` }],
  ["a name in capitals", { Tile: "w=90" }],
  ["the name of a revision", { abcdefabcdef: "w=90" }],
])("%s stops the start, by name", (_, queries) => {
  expect(() => Preset.read(queries)).toThrow(`the preset ${Object.keys(queries)[0]} = `);
});

test("the presets of every stage can be read", () => {
  const { functions } = JSON.parse(readFileSync("infra/stack.json", "utf8"));
  const links = Object.values<{ links: Record<string, { queries: Record<string, string> }> }>(
    functions,
  );
  const queries = links.flatMap(({ links: { Presets } }) => (Presets ? [Presets.queries] : []));
  // who delivers them and who signs for them know the same
  expect(queries).toHaveLength(2);
  expect(queries[1]).toEqual(queries[0]);
  expect(Preset.read(queries[0]!).size).toBeGreaterThan(0);
});
