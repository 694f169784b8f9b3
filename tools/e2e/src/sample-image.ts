import sharp from "sharp";

/** Returns an image with fine detail that differs per seed, so that no stored derivative can answer for it. */
export function sampleImage(width: number, height: number, seed = 1) {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      pixels[at] = (x * 255) / width;
      pixels[at + 1] = (y * 255) / height;
      pixels[at + 2] = 128 + 127 * Math.sin((x * y * seed) / 5_000);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export const sampleJpeg = (width: number, height: number, seed?: number) =>
  sampleImage(width, height, seed).jpeg({ quality: 90 }).toBuffer();
