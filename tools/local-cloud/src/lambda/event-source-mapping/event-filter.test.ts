import { expect, test } from "vitest";

import { filterOf } from "./event-filter.ts";

const matches = (pattern: object, event: object) =>
  filterOf({ filters: [{ pattern: JSON.stringify(pattern) }] })(event);

test.each<[string, object, object, boolean]>([
  ["a value", { a: ["x"] }, { a: "x" }, true],
  ["another value", { a: ["x"] }, { a: "y" }, false],
  ["one of several values", { a: ["x", 1] }, { a: 1 }, true],
  ["null", { a: [null] }, { a: null }, true],
  ["every key", { a: ["x"], b: ["y"] }, { a: "x" }, false],
  ["a key within", { a: { b: ["x"] } }, { a: { b: "x" } }, true],
  ["an element of a list", { a: ["x"] }, { a: ["w", "x"] }, true],
  ["a prefix", { a: [{ prefix: "im" }] }, { a: "image" }, true],
  ["a suffix", { a: [{ suffix: "ge" }] }, { a: "image" }, true],
  ["a text in another case", { a: [{ "equals-ignore-case": "IMAGE" }] }, { a: "image" }, true],
  ["anything but a value", { a: [{ "anything-but": ["x"] }] }, { a: "x" }, false],
  ["anything but a prefix", { a: [{ "anything-but": { prefix: "x" } }] }, { a: "yx" }, true],
  ["a key that exists", { a: [{ exists: true }] }, {}, false],
  ["a key that does not exist", { a: [{ exists: false }] }, {}, true],
  ["a range of numbers", { a: [{ numeric: [">", 0, "<=", 5] }] }, { a: 5 }, true],
  ["a number outside of a range", { a: [{ numeric: [">", 0, "<=", 5] }] }, { a: 6 }, false],
  ["one of several patterns", { $or: [{ a: ["x"] }, { b: ["y"] }] }, { b: "y" }, true],
])("a filter of %s", (_, pattern, event, expected) => {
  expect(matches(pattern, event)).toBe(expected);
});

test("without filters every event matches, with several any of them is enough", () => {
  expect(filterOf(undefined)({})).toBe(true);
  const filters = [{ pattern: '{"a":["x"]}' }, { pattern: '{"a":["y"]}' }];
  expect(filterOf({ filters })({ a: "y" })).toBe(true);
});

test("a rule that is not emulated stops the start by its name", () => {
  expect(() => matches({ a: [{ wildcard: "x*" }] }, {})).toThrow('"wildcard" is not emulated');
});
