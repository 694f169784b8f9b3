import { expect, test } from "vitest";

import * as EntityTag from "./entity-tag.ts";

test.each([
  ['"a-1"', true],
  ['W/"a-1"', true],
  ['"x", "a-1"', true],
  ["*", true],
  ['"a-2"', false],
  ["a-1", false],
  ['"a-1', false],
  ["", false],
  [undefined, false],
])("If-None-Match: %s", (header, isKnown) => {
  expect(EntityTag.matches('"a-1"', header)).toBe(isKnown);
});
