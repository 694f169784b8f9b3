import { parse } from "@balde/imaging/request";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { type ImageRequest, imageUrl, srcset } from "./image-url.ts";

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

test.each<[ImageRequest, string]>([
  [{ w: 320.5, dpr: 1.100000023841858 }, "w=321&dpr=1.1"],
  [{ w: 0, h: 5000, dpr: 0.9 }, "w=1&h=4096&dpr=1"],
  [{ w: Infinity, h: -3, dpr: 6.25 }, "w=4096&h=1&dpr=4"],
  [{ w: Number.NaN, dpr: Number.NaN, pos: { x: Number.NaN, y: 0 }, f: "webp" }, "f=webp"],
  [{ pos: { x: 1 / 3, y: 2 / 3 } }, "pos=0.3333,0.6667"],
  [{ pos: { x: -1e-17, y: 1.0000000000000002 } }, "pos=0,1"],
  [{ pos: { x: 1e-7, y: 0.1 + 0.2 } }, "pos=0,0.3"],
  [{ crop: { x: 10.5, y: -0.4, w: 99.5, h: 50.7 } }, "crop=11,0,99,50"],
  [{ crop: { x: 3.2, y: 4.2, w: 0.1, h: 0 } }, "crop=3,4,1,1"],
  [{ bg: "#ff0000" }, "bg=ff0000"],
  [{ bg: "#F80" }, "bg=ff8800"],
  [{ bg: "rgb(255, 128, 0)" }, "bg=ff8000"],
  [{ bg: "rgba(255, 128, 0, 0.5)" }, "bg=ff800080"],
  [{ bg: "rgb(100% 0% 50% / 50%)" }, "bg=ff008080"],
  [{ bg: "transparent" }, "bg=00000000"],
  [{ q: 82.4, trim: -0, blur: 0.1, sharpen: 1e9 }, "trim=0&blur=0.3&sharpen=10&q=82"],
  [{ q: 0 }, "q=1"],
  [{ rot: -90 as 270 }, "rot=270"],
  [{ rot: -360 as 0 }, "rot=0"],
])("numbers and colours of a browser are read: %j", (request, query) => {
  expect(imageUrl("", image, request)).toBe(`${path}?${query}`.replace(/\?$/, ""));
});

test("no number that a page may compute makes a page throw, and delivery accepts what is printed", () => {
  const number = fc.oneof(fc.double(), fc.double({ min: -1, max: 5 }), fc.integer());
  const colour = fc.stringMatching(/^#([0-9a-fA-F]{3}|[0-9a-fA-F]{8})$/);
  const point = fc.record({ x: number, y: number });
  const box = fc.record({ x: number, y: number, w: number, h: number });
  const sizes = { w: number, h: number, dpr: number, trim: number, q: number };
  const any = fc.record(
    { ...sizes, pos: point, crop: box, bg: colour, blur: number, sharpen: number },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(any, (request) => {
      const { searchParams } = new URL(imageUrl("http://a.b", image, request));
      expect(() =>
        parse(Object.fromEntries([...searchParams].map(([key, text]) => [key, [text]]))),
      ).not.toThrow();
      srcset("", { ...image, width: 1000.4 }, request);
    }),
    { numRuns: 500 },
  );
});

test("a word that the delivery query does not have throws", () => {
  expect(() => imageUrl("", image, { fit: "stretch" as "fill" })).toThrow(/fit/);
  expect(() => imageUrl("", image, { rot: 45 as 90 })).toThrow(/rot/);
  expect(() => imageUrl("", image, { bg: "hotpink" })).toThrow(/bg/);
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
