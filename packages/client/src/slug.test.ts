import { Name } from "@balde/core/image.schema";
import { assert, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";

import { slugOf } from "./slug.ts";

test.each([
  ["férias na praia.jpg", "ferias-na-praia.jpg"],
  ["fe\u0301rias na praia.JPG", "ferias-na-praia.jpg"],
  ["C:\\fakepath\\IMG_0001.HEIC", "img_0001.heic"],
  ["a/b/Übergröße (2).png", "ubergrosse-2.png"],
  ["São João – ação & emoção!.jpeg", "sao-joao-acao-emocao.jpeg"],
  ["Łódź Æsir øl.png", "lodz-aesir-ol.png"],
  ["İstanbul ıssız.png", "istanbul-issiz.png"],
  ["ﬁnal №1.png", "final-no1.png"],
  ["Screenshot 2026-11-21 at 10.30.05\u202fAM.png", "screenshot-2026-11-21-at-10.30.05-am.png"],
  ["a..b...c.png", "a.b.c.png"],
  ["--._x_.-.png", "x.png"],
  ["photo", "photo"],
  ["写真 2026.jpg", "2026.jpg"],
  ["写真.jpg", undefined],
  [".jpg", undefined],
  ["", undefined],
  ["..", undefined],
  ["\ud800", undefined],
  ["👩‍👩‍👧.png", undefined],
])("the slug of %j is %j", (fileName, slug) => {
  expect(slugOf(fileName)).toBe(slug);
});

test("a slug is a valid name that is its own slug, whatever it is made of", () => {
  const texts = oneof(
    string({ unit: "binary", maxLength: 300 }),
    string({ unit: "grapheme", maxLength: 300 }),
    string({ unit: "binary-ascii", maxLength: 300 }),
  );
  assert(
    property(texts, (text) => {
      const slug = slugOf(text);
      expect(slug === undefined || Name.safeParse(slug).success).toBe(true);
      expect(slug && slugOf(slug)).toBe(slug);
    }),
    { seed: 1, numRuns: 500 },
  );
  expect(slugOf(`${"x".repeat(500)}.jpeg`)).toBe(`${"x".repeat(123)}.jpeg`);
  expect(slugOf(`a${"\u0301\u0323".repeat(500_000)}.jpg`)).toBeUndefined();
});
