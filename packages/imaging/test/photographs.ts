import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

const folder = join(import.meta.dirname, "../../../tools/start/pictures");
const names = ["koi", "stonehenge", "pier"];
/** The size that the three photographs can all be cropped to. */
const TILE = { width: 1600, height: 1066 };

/** A JPEG photograph of any size: the three photographs of the demo in tiles, mirrored alternately and not scaled, so that the detail is real. */
export async function photograph(width: number, height: number): Promise<Buffer> {
  const across = Math.ceil(width / TILE.width);
  const down = Math.ceil(height / TILE.height);
  const tiles = await Promise.all(
    Array.from({ length: across * down }, async (_, index) => {
      const bytes = readFileSync(join(folder, `${names[index % names.length]}.jpg`));
      const tile = sharp(bytes).extract({ left: 0, top: 0, ...TILE });
      return {
        input: await tile
          .flop(index % 2 === 1)
          .png({ compressionLevel: 0 })
          .toBuffer(),
        left: (index % across) * TILE.width,
        top: Math.floor(index / across) * TILE.height,
      };
    }),
  );
  const whole = { width: across * TILE.width, height: down * TILE.height };
  const { data, info } = await sharp({ create: { ...whole, channels: 3, background: "#000" } })
    .composite(tiles)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { channels } = info;
  return sharp(data, { raw: { ...whole, channels } })
    .extract({ left: 0, top: 0, width, height })
    .jpeg({ quality: 92 })
    .toBuffer();
}
