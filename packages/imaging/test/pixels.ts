import sharp from "sharp";

import type { Pixels } from "./ssimulacra2.ts";

/** The sRGB pixels of a picture without its alpha channel. */
export async function pixels(bytes: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(bytes)
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
