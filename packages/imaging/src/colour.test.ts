import sharp from "sharp";
import { expect, test } from "vitest";

import { chart, colours, deltaE, inSrgb, spaces, swatches } from "../test/colour.ts";
import { photo } from "../test/samples.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render } from "./render.ts";

const none = { avif: false, webp: false };

/** The chart rendered from its original and from a rung, and its named copy. */
async function renderAllWays(bytes: Buffer) {
  const { rungs, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  const plan = Plan.plan({ w: 320, f: "png" }, source, none);
  const rung = rungs.at(-1);
  return {
    original: (await render(bytes, plan)).data,
    ...(rung && { rung: (await render(rung.data, plan, rung)).data }),
    namedCopy: namedCopy!.data,
  };
}

/** The largest colour difference (delta E) of a swatch from its expected colour. */
async function maxDeltaE(picture: Buffer, expected: [number, number, number][]) {
  const actual = await colours(picture);
  return Math.max(...actual.map((colour, index) => deltaE(colour, expected[index]!)));
}

for (const space of Object.keys(spaces))
  for (const kind of ["png", "png16", "jpeg"] as const)
    test(`a ${kind} in ${space} is converted to sRGB correctly from the original, from a rung and in the named copy`, async () => {
      const bytes = await chart(space, kind, 200);
      expect((await sharp(bytes).metadata()).depth).toBe(kind === "png16" ? "ushort" : "uchar");
      const expected = swatches.map((swatch) => inSrgb(space, swatch));
      const ways = await renderAllWays(bytes);
      expect(Object.keys(ways)).toEqual(["original", "rung", "namedCopy"]);
      // sharp converts 16 bit images through P3, which clips colours of Adobe RGB once more
      expect(await maxDeltaE(ways.original, expected)).toBeLessThan(kind === "png16" ? 2.5 : 1.5);
      // named copy and rung are JPEGs, which are less exact
      expect(await maxDeltaE(ways.namedCopy, expected)).toBeLessThan(3);
      expect(await maxDeltaE(ways.rung!, expected)).toBeLessThan(3);
      // fails when the profile is ignored
      expect(await maxDeltaE(ways.original, swatches)).toBeGreaterThan(8);
    });

test("a CMYK JPEG is rendered in nearly its original colours", async () => {
  const before = await photo(80, 60).png().toBuffer();
  const bytes = await sharp(before).withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer();
  expect((await sharp(bytes).metadata()).space).toBe("cmyk");
  const { original } = await renderAllWays(bytes);
  const [was, is] = await Promise.all(
    [before, original].map((picture) => sharp(picture).removeAlpha().raw().toBuffer()),
  );
  let sum = 0;
  for (let at = 0; at < was!.length; at += 3)
    sum += deltaE(
      [was![at]!, was![at + 1]!, was![at + 2]!],
      [is![at]!, is![at + 1]!, is![at + 2]!],
    );
  // CMYK has fewer colours than sRGB; without the profile the mean difference would be about 20
  expect(sum / (was!.length / 3)).toBeLessThan(8);
});
