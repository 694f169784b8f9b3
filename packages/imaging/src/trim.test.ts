import sharp from "sharp";
import { expect, test } from "vitest";

import { deliver } from "../test/pixel-at.ts";

/** A red rectangle on a border, which is transparent with random colours or white. */
async function bordered(
  size: number,
  inner: { left: number; top: number; width: number; height: number },
  border: "hidden" | "white",
) {
  const data = Buffer.alloc(size * size * 4, 255);
  let seed = 7;
  for (let at = 0; at < data.length; at += 4) {
    const x = (at / 4) % size;
    const y = Math.floor(at / 4 / size);
    const isInner =
      x >= inner.left &&
      x < inner.left + inner.width &&
      y >= inner.top &&
      y < inner.top + inner.height;
    if (isInner) data.set([255, 0, 0, 255], at);
    else if (border === "hidden") {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      data.set([seed >> 8, seed >> 12, seed >> 16, 0], at);
      data[at + 3] = 0;
    }
  }
  return sharp(data, { raw: { width: size, height: size, channels: 4 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

for (const border of ["hidden", "white"] as const)
  for (const [size, inner] of [
    [100, { left: 20, top: 30, width: 60, height: 40 }],
    [4500, { left: 1003, top: 707, width: 2111, height: 3001 }],
  ] as const)
    test(`trim removes a ${border} border of a picture of ${size} pixels exactly`, async () => {
      const bytes = await bordered(size, inner, border);
      const { width, height } = await sharp(await deliver(bytes, "trim=10&f=png")).metadata();
      expect({ width, height }).toEqual({ width: inner.width, height: inner.height });
    });
