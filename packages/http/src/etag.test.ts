import { expect, test } from "vitest";

import * as Etag from "./etag.ts";

test.each([
  ['"a-1"', true],
  ['W/"a-1"', true],
  ['"x", "a-1"', true],
  ["*", true],
  ['"x",W/"a-1"', true],
  ['"*"', false],
  ['"a-2"', false],
  ["a-1", false],
  ['"a-1', false],
  ["", false],
  [undefined, false],
])('If-None-Match: %s matches "a-1": %s', (header, isMatch) => {
  expect(Etag.matches('"a-1"', header)).toBe(isMatch);
});

test.each([
  ['"a-1"', true],
  [' "a-1" ', true],
  ['W/"a-1"', false],
  ['"a-2"', false],
  ["*", false],
  ["Wed, 21 Oct 2026 07:28:00 GMT", false],
])('If-Range: %s is the same as "a-1": %s', (header, isSame) => {
  expect(Etag.isSame('"a-1"', header)).toBe(isSame);
});

test("a tag may contain a comma or a star", () => {
  expect(Etag.parse('"a,b", W/"*"')).toEqual(['"a,b"', 'W/"*"']);
});
