import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import * as Preset from "./preset.ts";

const presets = Preset.read({ tile: "w=90&h=60&fit=cover", banner: "h=200&f=webp&bg=FFF" });

test("a preset is parsed as a query", () => {
  expect(Object.fromEntries(presets)).toEqual({
    tile: { w: 90, h: 60, fit: "cover" },
    banner: { h: 200, f: "webp", bg: "ffffff" },
  });
});

test("parameters of the request override and extend those of the preset", () => {
  expect(Preset.apply(presets, "tile", {})).toEqual({ w: 90, h: 60, fit: "cover" });
  expect(Preset.apply(presets, "tile", { w: 45, q: 30 })).toEqual({
    w: 45,
    h: 60,
    fit: "cover",
    q: 30,
  });
});

test.each(["poster", "constructor", "x".repeat(500)])(
  "the unknown preset %s is refused with the names of the presets",
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
  ["an unknown key", { tile: "width=90" }],
  ["an invalid value", { tile: "w=0" }],
  ["a key twice", { tile: "w=1&w=2" }],
  ["neither w nor h", { tile: "q=30" }],
  ["a signature", { tile: `w=1&exp=1900000000&kid=a&sig=${"A".repeat(43)}` }],
  ["a name in capitals", { Tile: "w=90" }],
  ["the name of a revision", { abcdefabcdef: "w=90" }],
])("a preset with %s is an error that names the preset", (_, queries) => {
  expect(() => Preset.read(queries)).toThrow(`the preset ${Object.keys(queries)[0]} = `);
});

test("the presets of the stack are valid", () => {
  const { functions } = JSON.parse(readFileSync("infra/stack.json", "utf8"));
  const links = Object.values<{ links: Record<string, { queries: Record<string, string> }> }>(
    functions,
  );
  const queries = links.flatMap(({ links: { Presets } }) => (Presets ? [Presets.queries] : []));
  // the delivery function and the API have the same presets
  expect(queries).toHaveLength(2);
  expect(queries[1]).toEqual(queries[0]);
  expect(Preset.read(queries[0]!).size).toBeGreaterThan(0);
});
