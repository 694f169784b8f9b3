import { expect, test } from "vitest";

import { imageUrl, srcset } from "./image-url.ts";

const image = { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV", rev: "0123456789ab", width: 1000 };
const path = `/i/${image.id}/${image.rev}`;

test("a URL has the revision if it is known, so that it may be cached forever", () => {
  expect(imageUrl("https://a.b/s", image, { w: 640 })).toBe(`https://a.b/s${path}?w=640`);
  expect(imageUrl("", { id: image.id })).toBe(`/i/${image.id}`);
});

test("the order of a request's parameters does not change its URL", () => {
  const one = imageUrl("", image, { w: 1, h: 2, f: "webp" });
  expect(imageUrl("", image, { f: "webp", h: 2, w: 1 })).toBe(one);
});

test("a value that the delivery query does not allow throws", () => {
  expect(() => imageUrl("", image, { w: 0 })).toThrow(/"minimum": 1/);
  expect(() => imageUrl("", image, { w: 5000 })).toThrow(/4096/);
});

test("srcset has the widths of the grid up to the image's own, and none above it", () => {
  expect(srcset("", image, { f: "webp" }).split(", ")).toEqual(
    [160, 320, 480, 640, 800, 960, 1000].map((w) => `${path}?w=${w}&f=webp ${w}w`),
  );
});

test("srcset of a fixed size has it for denser screens", () => {
  expect(srcset("", image, { w: 100, h: 100, fit: "cover" }).split(", ")).toEqual(
    [1, 2, 3].map((dpr) => `${path}?w=100&h=100&dpr=${dpr}&fit=cover ${dpr}x`),
  );
});

test("srcset ends with the largest width of the grid for larger images", () => {
  expect(srcset("", { ...image, width: 9000 })).toMatch(/w=3840 3840w$/);
});

test("a preset is in the path, with or without a revision, and other parameters are in the query", () => {
  expect(imageUrl("", image, { preset: "thumb" })).toBe(`${path}/thumb`);
  expect(imageUrl("", { id: image.id }, { preset: "thumb", q: 40 })).toBe(
    `/i/${image.id}/thumb?q=40`,
  );
  expect(srcset("", image, { preset: "card" }).split(", ")).toEqual(
    [1, 2, 3].map((dpr) => `${path}/card?dpr=${dpr} ${dpr}x`),
  );
});

test.each(["", "../x", "Thumb", "0123456789ab"])("the preset %j throws", (preset) => {
  expect(() => imageUrl("", image, { preset })).toThrow(/a preset is called by/);
});
