import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

import { photograph } from "../../packages/images/test/photographs.ts";

export type Original = { label: string; megapixels: 24 | 16 | 2; bytes: Buffer };

/** Photographs of a folder, by the names they have there. */
const files: [24 | 16 | 2, string, width: number, height: number][] = [
  [24, "photo-24mp-detail.jpg", 6000, 4000],
  [16, "photo-16mp-koi.jpg", 4640, 3480],
  [2, "photo-2mp.jpg", 1600, 1200],
];

/** Three photographs: those of the folder that CORPUS names, else some made of the demo's pictures, pixel for pixel. */
export async function originals(): Promise<Original[]> {
  const folder = process.env.CORPUS;
  console.log(
    folder
      ? `Pictures of ${folder}.`
      : "Pictures made of packages/demo/pictures; CORPUS names a folder of others.",
  );
  return Promise.all(
    files.map(async ([megapixels, file, width, height]) => {
      const path = folder && join(folder, file);
      if (path && !existsSync(path)) throw new Error(`${folder} has no ${file}`);
      const bytes = path ? readFileSync(path) : await photograph(width, height);
      const size = await sharp(bytes).metadata();
      const label = `${megapixels} MP (${size.width} × ${size.height}, ${(bytes.length / 1e6).toFixed(1)} MB)`;
      return { label, megapixels, bytes };
    }),
  );
}
