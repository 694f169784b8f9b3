import { readFileSync } from "node:fs";
import { basename } from "node:path";
import sharp from "sharp";

/** Returns a JPEG of 24 megapixels: the file that PICTURE names, else a generated one with as much detail as a photograph. */
export async function samplePhotograph() {
  const file = process.env.PICTURE;
  const bytes = file ? readFileSync(file) : await generate();
  const { width, height } = await sharp(bytes).metadata();
  const size = `${((width * height) / 1e6).toFixed(0)} MP, ${(bytes.length / 1e6).toFixed(1)} MB`;
  return { bytes, label: `${file ? basename(file) : "generated"}, ${size}` };
}

const generate = async () => {
  const noise = { type: "gaussian" as const, mean: 128, sigma: 40 };
  const grain = await sharp({
    create: { width: 1500, height: 1000, channels: 3, background: "#888", noise },
  })
    .png()
    .toBuffer();
  return sharp(grain).resize(6000, 4000, { kernel: "cubic" }).jpeg({ quality: 88 }).toBuffer();
};
