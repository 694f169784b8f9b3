import { expect, test } from "vitest";

import * as Etags from "./etags.ts";

test("the ETag of an image changes with its version and with its likes", () => {
  const images = [
    { version: 3, likes: 17 },
    { version: 4, likes: 17 },
    { version: 3, likes: 18 },
  ];
  expect(new Set(images.map(Etags.ofImage)).size).toBe(3);
});

test("equal texts have equal Etags, other texts have others", () => {
  const tag = Etags.ofText("one");
  expect(tag).toMatch(/^"[\w-]{22}"$/);
  expect(Etags.ofText("one")).toBe(tag);
  expect(Etags.ofText("other")).not.toBe(tag);
});

test("If-Match names the versions that a writer has read, with any number of likes", () => {
  expect(Etags.versions('"3.16"')).toEqual([3]);
  expect(Etags.versions('"3.16", "4.0"')).toEqual([3, 4]);
  expect(Etags.versions("*")).toBe("any");
});

test("a weak or foreign ETag names no version", () => {
  expect(Etags.versions('W/"3.17"')).toEqual([]);
  expect(Etags.versions('"abc"')).toEqual([]);
  expect(Etags.versions('"0.0", "99999999999999999999.0"')).toEqual([]);
});
