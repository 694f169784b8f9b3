import { expect, test } from "vitest";

import { random } from "../test/hostile/bytes.ts";
import { crossings } from "./svg-outline.ts";

test.each([
  ["two lines that cross", "M0 0L10 10M0 10L10 0", 1],
  ["two lines beside each other", "M0 0L10 10M20 0L30 10", 0],
  ["a horizontal and a vertical line", "M0 5H10M5 0v10", 1],
  ["the closing line", "M0 0V10H10ZM2 1V4", 1],
  ["relative commands", "m0 0l10 10m-10 0l10-10", 1],
  ["commands without letters and spaces", "M0 0 10 10M0 10 10.0.5", 1],
  ["two curves, which count as two edges each", "M0 0C0 9 9 9 10 10M0 10Q5 5 10 0", 4],
  ["an arc and a line behind its flags", "M0 0a5 5 0 0110 0M5-9V9", 2],
  ["a path up to its mistake", "M0 0L10 10M0 10L10 0 nonsense", 1],
])("counts %s", (_, d, expected) => expect(crossings(d, "")).toBe(expected));

test("counts the points of a polygon", () => expect(crossings("", "0,0 10,10 10,0 0,10")).toBe(1));

const lines = (count: number, next: () => string) =>
  `M0 0${Array.from({ length: count }, next).join("")}`;

test("an outline that crosses itself often has far more than a long coast", () => {
  const any = random(1);
  const tangle = lines(10_000, () => `L${any() * 1000} ${any() * 1000}`);
  const coast = lines(50_000, () => `l${any() * 4 - 2} ${any() * 4 - 1.9}`);
  expect(crossings(tangle, "")).toBeGreaterThan(10_000_000);
  expect(crossings(coast, "")).toBeLessThan(2_000_000);
});

test("a megabyte of outline is counted within seconds", () => {
  const hatch = lines(120_000, () => "L9 9L0 1");
  const start = process.cpuUsage();
  crossings(hatch, "");
  const { user } = process.cpuUsage(start);
  expect(user / 1e6).toBeLessThan(5);
});
