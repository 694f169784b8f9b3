import * as ImageBytes from "./image-bytes.ts";

/** An AVIF sequence with the brand of a still image. libvips decodes its primary image, which shows what the sequence shows first, and refuses the brand. */
export async function asStill(image: ImageBytes.ImageBytes): Promise<Buffer> {
  const still = Buffer.from(await ImageBytes.readAll(image));
  still.write("avif", FIRST_BRAND_AT, "latin1");
  return still;
}

/** After the length and the type of the `ftyp` box. */
const FIRST_BRAND_AT = 8;
