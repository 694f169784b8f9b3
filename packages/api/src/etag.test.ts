import { expect, test } from "vitest";

import * as Etag from "./etag.ts";

const image = { version: 3, likes: 17 };

test("the tag of an image changes with its version and with its likes", () => {
  const tags = [image, { version: 4, likes: 17 }, { version: 3, likes: 18 }].map(Etag.of);
  expect(new Set(tags).size).toBe(3);
});

test("a copy is fresh when any of the tags it was stored under is ours, weak or strong", () => {
  for (const header of ['"3.17"', 'W/"3.17"', '"0.0", "3.17"', "*"]) {
    expect([header, Etag.isFresh(image, header)]).toEqual([header, true]);
  }
  for (const header of [undefined, "", '"3.16"', '"4.17"', "3.17"]) {
    expect([header, Etag.isFresh(image, header)]).toEqual([header, false]);
  }
});

test("the tag of a text is the text's, and is known again whatever a cache made of it", () => {
  const tag = Etag.ofText("one");
  expect(tag).toMatch(/^"[\w-]{22}"$/);
  expect(Etag.ofText("other")).not.toBe(tag);
  expect([tag, `W/${tag}`, "*"].map((known) => Etag.isKnown(tag, known))).toEqual([
    true,
    true,
    true,
  ]);
  expect(Etag.isKnown(tag, Etag.ofText("other"))).toBe(false);
});

test("a writer names the versions he has seen, whatever the likes were", () => {
  expect(Etag.versions('"3.16"')).toEqual([3]);
  expect(Etag.versions('"3.16", "4.0"')).toEqual([3, 4]);
  expect(Etag.versions("*")).toBe("any");
});

test("a weak or foreign tag is no version", () => {
  expect(Etag.versions('W/"3.17"')).toEqual([]);
  expect(Etag.versions('"abc"')).toEqual([]);
});
