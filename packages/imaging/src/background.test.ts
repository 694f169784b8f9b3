import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";

import { coloursAt, deliver, distance } from "../test/pixel-at.ts";

const box = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: "#00000000" } })
    .composite([
      {
        input: {
          create: {
            width: width / 2,
            height: height / 2,
            channels: 4,
            background: "#0000c8",
          },
        },
      },
    ])
    .png()
    .toBuffer();

/** Request, format of the result, and what a pixel of the padding and one of the transparent part show. */
const backgrounds: [string, string, number[]][] = [
  ["", "jpeg", [255, 255, 255, 255]],
  ["", "png", [0, 0, 0, 0]],
  ["&bg=transparent", "jpeg", [255, 255, 255, 255]],
  ["&bg=transparent", "webp", [0, 0, 0, 0]],
  ["&bg=80000080", "jpeg", [191, 127, 127, 255]],
  ["&bg=80000080", "png", [128, 0, 0, 128]],
  ["&bg=80000080", "webp", [128, 0, 0, 128]],
  ["&bg=80000080", "avif", [128, 0, 0, 128]],
  ["&bg=00cc40", "jpeg", [0, 204, 64, 255]],
  ["&bg=00cc40", "gif", [0, 204, 64, 255]],
];

for (const size of [40, 1400])
  for (const [bg, format, expected] of backgrounds)
    test(`padding and transparent parts of ${size} pixels with "${bg}" as ${format}`, async () => {
      const request = `w=80&h=40&fit=contain&q=100&f=${format}${bg}`;
      for (const from of ["any", "original"] as const) {
        const picture = await deliver(await box(size, size), request, from);
        const [padding, transparent, own] = await coloursAt(picture, [
          [2, 20],
          [24, 4],
          [40, 20],
        ]);
        expect(distance(padding, expected)).toBeLessThanOrEqual(4);
        expect(distance(transparent, expected)).toBeLessThanOrEqual(4);
        expect(distance(own, [0, 0, 200, 255])).toBeLessThanOrEqual(4);
      }
    });

type Kind = [string, (picture: Sharp) => Sharp];
const kinds: Kind[] = [
  ["gray PNG", (picture) => picture.toColourspace("b-w").png()],
  ["gray JPEG", (picture) => picture.flatten().toColourspace("b-w").jpeg()],
  ["16-bit PNG", (picture) => picture.toColourspace("rgb16").png()],
  ["16-bit gray PNG", (picture) => picture.toColourspace("grey16").png()],
  ["16-bit PNG in P3", (picture) => picture.toColourspace("rgb16").withIccProfile("p3").png()],
  ["PNG in P3", (picture) => picture.withIccProfile("p3").png()],
  ["CMYK JPEG", (picture) => picture.flatten().toColourspace("cmyk").jpeg()],
  ["palette PNG", (picture) => picture.png({ palette: true })],
  ["16-bit TIFF", (picture) => picture.toColourspace("rgb16").tiff()],
];

for (const [name, encode] of kinds)
  for (const size of [60, 800])
    test(`the background of a ${name} of ${size} pixels has the requested colour`, async () => {
      const bytes = await encode(sharp(await box(size, size))).toBuffer();
      for (const from of ["any", "original"] as const)
        for (const [query, colour] of [
          ["bg=ffcc00&f=png", [255, 204, 0, 255]],
          ["bg=ffcc00&f=jpeg&q=100", [255, 204, 0, 255]],
          ["bg=00cc40&f=png&gray=1", [0, 204, 64, 255]],
          ["bg=3060c080&f=png", [48, 96, 192, 128]],
        ] as const) {
          const picture = await deliver(bytes, `w=50&h=100&fit=contain&${query}`, from);
          const [above, below] = await coloursAt(picture, [
            [25, 5],
            [25, 95],
          ]);
          expect(distance(above, colour)).toBeLessThanOrEqual(2);
          expect(distance(below, colour)).toBeLessThanOrEqual(2);
          const { hasAlpha } = await sharp(bytes).metadata();
          const [transparent] = await coloursAt(picture, [[47, 72]]);
          expect(hasAlpha ? distance(transparent, colour) : 0).toBeLessThanOrEqual(2);
        }
    });

test("trimming to a shape that needs padding leaves the padding of a transparent picture transparent", async () => {
  const picture = await deliver(await box(80, 40), "trim=10&w=80&h=20&fit=contain&f=png");
  expect(distance((await coloursAt(picture, [[2, 10]]))[0], [0, 0, 0, 0])).toBe(0);
});
