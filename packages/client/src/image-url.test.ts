import { expect, test } from "vitest";

import { imageUrl, srcset } from "./image-url.ts";

const image = { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV", rev: "0123456789ab", width: 1000 };
const path = `/i/${image.id}/${image.rev}`;

test("a URL has the revision when it is known, so that it may be kept for ever", () => {
  expect(imageUrl("https://a.b/s", image, { w: 640 })).toBe(`https://a.b/s${path}?w=640`);
  expect(imageUrl("", { id: image.id })).toBe(`/i/${image.id}`);
});

test("the order in which a request is written makes no other URL", () => {
  const one = imageUrl("", image, { w: 1, h: 2, f: "webp" });
  expect(imageUrl("", image, { f: "webp", h: 2, w: 1 })).toBe(one);
});

test("a value that the grammar does not have makes no URL", () => {
  expect(() => imageUrl("", image, { w: 0 })).toThrow(/"minimum": 1/);
  expect(() => imageUrl("", image, { w: 5000 })).toThrow(/4096/);
});

test("srcset offers every width up to the picture's own and none above it", () => {
  expect(srcset("", image, { f: "webp" }).split(", ")).toEqual(
    [160, 320, 480, 640, 800, 960, 1000].map((w) => `${path}?w=${w}&f=webp ${w}w`),
  );
});

test("srcset of a box of fixed size offers it for denser screens", () => {
  expect(srcset("", image, { w: 100, h: 100, fit: "cover" }).split(", ")).toEqual(
    [1, 2, 3].map((dpr) => `${path}?w=100&h=100&dpr=${dpr}&fit=cover ${dpr}x`),
  );
});

test("srcset ends with what may be asked for, however large the picture is", () => {
  expect(srcset("", { ...image, width: 9000 })).toMatch(/w=3840 3840w$/);
});

test("a preset stands in the path, with or without a revision; what is asked beside it in the query", () => {
  expect(imageUrl("", image, { preset: "thumb" })).toBe(`${path}/thumb`);
  expect(imageUrl("", { id: image.id }, { preset: "thumb", q: 40 })).toBe(
    `/i/${image.id}/thumb?q=40`,
  );
  expect(srcset("", image, { preset: "card" }).split(", ")).toEqual(
    [1, 2, 3].map((dpr) => `${path}/card?dpr=${dpr} ${dpr}x`),
  );
});

test.each(["", "../x", "Thumb", "0123456789ab"])("%j is no preset and makes no URL", (preset) => {
  expect(() => imageUrl("", image, { preset })).toThrow(/a preset is called by/);
});
