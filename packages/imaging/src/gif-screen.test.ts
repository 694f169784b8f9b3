import sharp from "sharp";
import { expect, test } from "vitest";

import { frame, gif } from "../test/hostile/gif.ts";
import { coloursAt, deliver } from "../test/pixel-at.ts";
import { identify } from "./identify.ts";
import { prepare } from "./prepare.ts";

/** An opaque black frame of one pixel at (left, top); `disposal` says what remains of it. */
const pixel = (left: number, top: number, disposal = 1) => {
  const bytes = frame(1, 1, left, top);
  bytes[3] = disposal << 2;
  return bytes;
};
const transparent = [0, 0, 0, 0];
const black = [0, 0, 0, 255];

// libvips takes the size of the frames for a screen of 640 × 480
for (const [width, height] of [
  [30, 20],
  [640, 480],
] as const)
  test(`what the first frame of a GIF of ${width} × ${height} does not cover is transparent`, async () => {
    const bytes = gif(width, height, pixel(5, 5), pixel(7, 7));
    expect(await identify(bytes)).toMatchObject({ width, height, pages: 2 });
    expect(await prepare(bytes, { namedCopy: false })).toMatchObject({ hasAlpha: true });
    for (const query of ["anim=0&f=png", "f=webp&q=100", "f=gif"])
      expect(
        await coloursAt(await deliver(bytes, query), [
          [0, 0],
          [5, 5],
          [7, 7],
        ]),
      ).toEqual([transparent, black, transparent]);
    expect(await coloursAt(await deliver(bytes, "f=gif"), [[7, 7]], 1)).toEqual([black]);
    expect(await coloursAt(await deliver(bytes, "anim=0&f=jpeg"), [[width - 1, 0]])).toEqual([
      [255, 255, 255, 255],
    ]);
  });

test("a GIF of one frame that does not cover its screen is transparent, also in a rung", async () => {
  const bytes = gif(1200, 900, pixel(5, 5));
  const picture = await deliver(bytes, "w=400&f=png");
  expect(await coloursAt(picture, [[200, 150]])).toEqual([transparent]);
});

test("what a removed frame of a GIF leaves is transparent", async () => {
  const full = gif(1, 1, pixel(0, 0, 2), pixel(0, 0));
  expect((await sharp(full).metadata()).hasAlpha).toBe(false);
  expect(await identify(full)).toMatchObject({ pages: 2, hasAlphaChannel: true });
});

test("a first frame beyond the screen enlarges it, as in a browser", async () => {
  const bytes = gif(10, 10, pixel(20, 12));
  expect(await identify(bytes)).toMatchObject({ width: 21, height: 13 });
  expect(
    await coloursAt(await deliver(bytes, "f=png"), [
      [20, 12],
      [0, 0],
    ]),
  ).toEqual([black, transparent]);
});
