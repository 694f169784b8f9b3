import type Sharp from "sharp";

import type { Size } from "./layout.ts";
import type { Picture } from "./load-sharp.ts";

/** Decoded pixels with 8 bits per channel, not premultiplied; sizes in pixels. The frames of an animation lie below each other. */
export type RawPicture = Size & { data: Buffer; channels: 1 | 2 | 3 | 4; pages?: number };

/** The decoded pixels of a picture. A gray picture becomes one channel and loses its transparency. */
export async function toRaw(picture: Picture): Promise<RawPicture> {
  const { data, info } = await picture
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels, pages } = info;
  return { data, width, height, channels, ...(pages !== undefined && { pages }) };
}

/** sharp on decoded pixels; without the `premultiplied` that libvips reports, because that describes its inside and not the output. */
export const openRaw = (
  sharp: typeof Sharp,
  { data, width, height, channels }: RawPicture,
): Picture => sharp(data, { raw: { width, height, channels } });
