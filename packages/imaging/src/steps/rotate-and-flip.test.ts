import { expect, test } from "vitest";

import { corners, quarters } from "../../test/samples.ts";
import * as Plan from "../plan.ts";
import { render } from "../render.ts";

const plain = { avif: false, webp: false };
const upright = ["red", "green", "blue", "white"];

/** The expected corners: the quarters of the upright image, rotated, then mirrored. */
function expectedCorners(rot: number, flip: string): string[] {
  let [a, b, c, d] = upright as [string, string, string, string];
  for (let turns = 0; turns < rot / 90; turns++) [a, b, c, d] = [c, a, d, b];
  if (flip.includes("h")) [a, b, c, d] = [b, a, d, c];
  if (flip.includes("v")) [a, b, c, d] = [c, d, a, b];
  return [a, b, c, d];
}

/** A JPEG whose pixels are stored for this EXIF orientation, so that applying it makes them upright (CIPA DC-008, section 4.6.4). */
async function jpegWithOrientation(orientation: number, width: number, height: number) {
  const pixels = await quarters(width, height).png().toBuffer();
  const sharp = (await import("sharp")).default;
  const stepped = async (
    ...steps: ((picture: ReturnType<typeof sharp>) => ReturnType<typeof sharp>)[]
  ) => {
    let bytes = pixels;
    for (const step of steps) bytes = await step(sharp(bytes)).png().toBuffer();
    return bytes;
  };
  const flop = (picture: ReturnType<typeof sharp>) => picture.flop();
  const rotate = (degrees: number) => (picture: ReturnType<typeof sharp>) =>
    picture.rotate(degrees);
  const undone = {
    1: [],
    2: [flop],
    3: [rotate(180)],
    4: [flop, rotate(180)],
    5: [flop, rotate(270)],
    6: [rotate(270)],
    7: [flop, rotate(90)],
    8: [rotate(90)],
  }[orientation];
  return sharp(await stepped(...(undone ?? [])))
    .withMetadata({ orientation })
    .jpeg({ quality: 95, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`EXIF orientation ${orientation} is applied before every rotation and mirroring`, async () => {
    const bytes = await jpegWithOrientation(orientation, 600, 400);
    for (const rot of [0, 90, 180, 270] as const)
      for (const flip of ["", "h", "v", "hv"] as const) {
        const request = { w: 90, rot, ...(flip && { flip }) };
        const plan = Plan.plan(
          request,
          { width: 600, height: 400, format: "jpeg", hasAlpha: false, pages: 1 },
          plain,
        );
        const { data, width, height } = await render(bytes, plan);
        expect([width, height]).toEqual(rot % 180 === 0 ? [90, 60] : [90, 135]);
        expect(await corners(data)).toEqual(expectedCorners(rot, flip));
      }
  });
}
