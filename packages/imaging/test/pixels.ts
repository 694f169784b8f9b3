import sharp from "sharp";

import type { Pixels } from "./ssimulacra2.ts";

/** What a picture shows, without what is see-through. */
export async function pixels(bytes: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(bytes)
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
