import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";

import { renderRequest } from "../test/render-request.ts";
import { corners, difference, gif, photo } from "../test/samples.ts";

const plainPhoto = () => photo(100, 80);
const grayPhoto = () => plainPhoto().grayscale().toColourspace("b-w");

/** Each kind of file that cameras, scanners and programs write, with the largest mean difference from the plain photograph (0..255) that its own encoding causes. */
const kinds: [string, () => Sharp, () => Sharp, number][] = [
  ["CMYK", plainPhoto, () => plainPhoto().withIccProfile("cmyk").jpeg({ quality: 100 }), 18],
  [
    "CMYK without a profile",
    plainPhoto,
    () => plainPhoto().toColourspace("cmyk").jpeg({ quality: 100 }),
    18,
  ],
  ["16 bits", plainPhoto, () => plainPhoto().toColourspace("rgb16").png(), 1],
  [
    "16 bits in a TIFF",
    plainPhoto,
    () => plainPhoto().toColourspace("rgb16").tiff({ compression: "lzw" }),
    1,
  ],
  ["Lab", plainPhoto, () => plainPhoto().toColourspace("lab").tiff({ compression: "lzw" }), 2],
  ["gray", grayPhoto, () => grayPhoto().png(), 1],
  ["gray at 16 bits", grayPhoto, () => plainPhoto().toColourspace("grey16").png(), 2],
  ["a gray JPEG", grayPhoto, () => grayPhoto().jpeg({ quality: 100 }), 2],
  ["gray with alpha", grayPhoto, () => grayPhoto().ensureAlpha(1).png(), 1],
  ["a palette", plainPhoto, () => plainPhoto().png({ palette: true, colours: 256 }), 8],
  ["interlaced", plainPhoto, () => plainPhoto().png({ progressive: true }), 1],
  ["Display P3", plainPhoto, () => plainPhoto().withIccProfile("p3").png(), 2],
  ["progressive", plainPhoto, () => plainPhoto().jpeg({ progressive: true, quality: 100 }), 2],
  ["lossless WebP", plainPhoto, () => plainPhoto().webp({ lossless: true }), 1],
  [
    "AVIF of 10 bits",
    plainPhoto,
    () => plainPhoto().avif({ bitdepth: 10, quality: 95, effort: 0 }),
    4,
  ],
  [
    "AVIF of 12 bits",
    plainPhoto,
    () => plainPhoto().avif({ bitdepth: 12, quality: 95, effort: 0 }),
    4,
  ],
  [
    "a TIFF in tiles",
    plainPhoto,
    () => plainPhoto().tiff({ compression: "deflate", tile: true }),
    1,
  ],
  [
    "a JPEG in a TIFF",
    plainPhoto,
    () => plainPhoto().tiff({ compression: "jpeg", quality: 100 }),
    3,
  ],
];

test.each(kinds)(
  "%s is delivered as 8 bit sRGB without a profile and with the same colours",
  async (_, plain, make, maxDifference) => {
    const bytes = await make().toBuffer();
    const expected = await plain()
      .toColourspace("srgb")
      .resize(50, 40, { fit: "fill" })
      .png()
      .toBuffer();
    for (const f of ["jpeg", "webp", "avif", "png", "gif"] as const) {
      const { metadata } = await renderRequest(bytes, { w: 50, f });
      expect(metadata).toMatchObject({ width: 50, height: 40, depth: "uchar", hasProfile: false });
      expect(metadata.space).toBe("srgb");
    }
    const { data } = await renderRequest(bytes, { w: 50, f: "png" });
    expect(await difference(data, expected)).toBeLessThan(maxDifference);
  },
);

test.each([
  ["one pixel", 1, 1],
  ["very wide", 20_000, 3],
  ["very tall", 3, 20_000],
])("%s: each fit gives exactly the planned size", async (_, width, height) => {
  const bytes = await sharp({ create: { width, height, channels: 3, background: "#a52" } })
    .png()
    .toBuffer();
  for (const fit of ["cover", "contain", "fill", "inside", "outside"] as const)
    for (const request of [{ w: 40 }, { w: 40, h: 30 }, { h: 30, rot: 90 as const }]) {
      const { plan, metadata } = await renderRequest(bytes, { ...request, fit, f: "png" });
      expect([metadata.width, metadata.height]).toEqual([plan.width, plan.height]);
    }
});

test("only the first page of a TIFF is delivered", async () => {
  const pages = await sharp(
    await Promise.all(
      ["red", "lime"].map((background) =>
        sharp({ create: { width: 60, height: 40, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    ),
    { join: { animated: true } },
  )
    .tiff({ compression: "lzw" })
    .toBuffer();
  expect((await sharp(pages).metadata()).pages).toBe(2);
  const pyramid = await photo(600, 400).tiff({ pyramid: true, tile: true }).toBuffer();
  for (const bytes of [pages, pyramid]) {
    const { metadata } = await renderRequest(bytes, { w: 30, rot: 90 });
    expect(metadata).toMatchObject({ format: "jpeg", width: 30, height: 45 });
  }
  const { data } = await renderRequest(pages, { w: 30 });
  expect(await corners(data)).toEqual(["red", "red", "red", "red"]);
});

test("an animation keeps the delay of each frame and its number of loops", async () => {
  const delay = [50, 400, 120];
  const still = await gif(60, 40, ["red", "lime", "blue"]);
  for (const bytes of [
    await sharp(still, { animated: true }).gif({ delay, loop: 3 }).toBuffer(),
    await sharp(still, { animated: true }).webp({ delay, loop: 3 }).toBuffer(),
  ])
    for (const f of ["webp", "gif"] as const) {
      const { metadata } = await renderRequest(bytes, { w: 30, f });
      expect(metadata).toMatchObject({ format: f, pages: 3, delay, loop: 3, pageHeight: 20 });
    }
});
