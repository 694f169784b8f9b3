import sharp from "sharp";
import { expect, test } from "vitest";

import { chart, colours, deltaE, inSrgb, spaces, swatches } from "../test/colour.ts";
import { photo } from "../test/samples.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render } from "./render.ts";

const none = { avif: false, webp: false };

/** The chart as it is delivered from its original, from a rung and as a published copy. */
async function delivered(bytes: Buffer) {
  const { rungs, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  const plan = Plan.plan({ w: 320, f: "png" }, source, none);
  const rung = rungs.at(-1);
  return {
    original: (await render(bytes, plan)).data,
    ...(rung && { rung: (await render(rung.data, plan, rung)).data }),
    namedCopy: namedCopy!.data,
  };
}

/** How far the worst swatch is from what it should be. */
async function worst(picture: Buffer, expected: [number, number, number][]) {
  const seen = await colours(picture);
  return Math.max(...seen.map((colour, index) => deltaE(colour, expected[index]!)));
}

for (const space of Object.keys(spaces))
  for (const kind of ["png", "png16", "jpeg"] as const)
    test(`a ${kind} in ${space} is converted by the book, by every way`, async () => {
      const bytes = await chart(space, kind, 200);
      expect((await sharp(bytes).metadata()).depth).toBe(kind === "png16" ? "ushort" : "uchar");
      const expected = swatches.map((swatch) => inSrgb(space, swatch));
      const ways = await delivered(bytes);
      expect(Object.keys(ways)).toEqual(["original", "rung", "namedCopy"]);
      // what Adobe RGB has and P3 has not is cut off twice, as sharp works on 16 bits in P3
      expect(await worst(ways.original, expected)).toBeLessThan(kind === "png16" ? 2.5 : 1.5);
      // these have been a JPEG in between
      expect(await worst(ways.namedCopy, expected)).toBeLessThan(3);
      expect(await worst(ways.rung!, expected)).toBeLessThan(3);
      // read as if it were sRGB already, it would be another picture
      expect(await worst(ways.original, swatches)).toBeGreaterThan(8);
    });

test("a print in CMYK comes back as nearly what was printed", async () => {
  const before = await photo(80, 60).png().toBuffer();
  const bytes = await sharp(before).withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer();
  expect((await sharp(bytes).metadata()).space).toBe("cmyk");
  const { original } = await delivered(bytes);
  const [was, is] = await Promise.all(
    [before, original].map((picture) => sharp(picture).removeAlpha().raw().toBuffer()),
  );
  let sum = 0;
  for (let at = 0; at < was!.length; at += 3)
    sum += deltaE(
      [was![at]!, was![at + 1]!, was![at + 2]!],
      [is![at]!, is![at + 1]!, is![at + 2]!],
    );
  // ink cannot do all that a screen can; read without its profile it would be some 20 off
  expect(sum / (was!.length / 3)).toBeLessThan(8);
});
