import sharp from "sharp";
import { expect, test } from "vitest";

import { coloursAt, deliver, distance } from "../test/pixel-at.ts";
import { gif } from "../test/samples.ts";

const colours = [
  [200, 40, 40],
  [40, 40, 200],
  [40, 200, 40],
];
const names = colours.map((parts) => `rgb(${parts.join()})`);

const animations = {
  gif: () => gif(100, 100, names),
  webp: async () =>
    sharp(await gif(100, 100, names), { animated: true })
      .webp({ lossless: true })
      .toBuffer(),
};

for (const [format, make] of Object.entries(animations))
  for (const query of [
    "w=150&up=1",
    "w=37",
    "w=50&h=30&fit=cover",
    "sharpen=10",
    "w=99&sharpen=2",
    "crop=10,10,50,50&w=31",
    "w=60&h=90&fit=contain&bg=101010",
  ])
    for (const f of ["gif", "webp"])
      test(`frames of a ${format} keep their own colours with ${query} as ${f}`, async () => {
        const picture = await deliver(await make(), `${query}&f=${f}`);
        const { pages, width, pageHeight, delay, loop } = await sharp(picture, {
          animated: true,
        }).metadata();
        expect({ pages, delay, loop }).toEqual({ pages: 3, delay: [70, 70, 70], loop: 0 });
        // beside the padding, WebP has its colour too
        const top = query.includes("contain") ? 18 : 0;
        for (const [page, colour] of colours.entries())
          for (const seen of await coloursAt(
            picture,
            [
              [width! >> 1, top],
              [width! >> 1, pageHeight! - 1 - top],
            ],
            page,
          ))
            expect(distance(seen, colour)).toBeLessThanOrEqual(5);
      });

test("an animation that is not scaled keeps each frame's delay", async () => {
  const bytes = await sharp(await gif(20, 20, names), { animated: true })
    .gif({ delay: [100, 200, 300], loop: 3 })
    .toBuffer();
  for (const query of ["f=webp", "f=gif", "w=10&f=gif"]) {
    const { delay, loop } = await sharp(await deliver(bytes, query)).metadata();
    expect({ delay, loop }).toEqual({ delay: [100, 200, 300], loop: 3 });
  }
});
