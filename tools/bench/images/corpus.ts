import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

import { photograph } from "../../../packages/imaging/test/photographs.ts";

type Megapixels = 24 | 16 | 12 | 2;
export type Original = { label: string; megapixels: Megapixels; bytes: Buffer };

/** The photographs of a folder, by file name. */
const files: [Megapixels, string, width: number, height: number][] = [
  [24, "photo-24mp-detail.jpg", 6000, 4000],
  [16, "photo-16mp-koi.jpg", 4640, 3480],
  [12, "photo-13mp-portrait.jpg", 3120, 4160],
  [2, "photo-2mp.jpg", 1600, 1200],
];

/** Returns the photographs of the folder that CORPUS names, else generated ones; MEGAPIXELS (`24,2`) selects some. */
export async function originals(): Promise<Original[]> {
  const folder = process.env.CORPUS;
  console.log(
    folder
      ? `Images of ${folder}.`
      : "Images generated from tools/start/pictures; set CORPUS to a folder for others.",
  );
  const selected = process.env.MEGAPIXELS?.split(",").map(Number);
  const wanted = files.filter(([megapixels]) => selected?.includes(megapixels) ?? true);
  return Promise.all(
    wanted.map(async ([megapixels, file, width, height]) => {
      const path = folder && join(folder, file);
      if (path && !existsSync(path)) throw new Error(`${folder} has no ${file}`);
      const bytes = path ? readFileSync(path) : await photograph(width, height);
      const size = await sharp(bytes).metadata();
      const label = `${megapixels} MP (${size.width} × ${size.height}, ${(bytes.length / 1e6).toFixed(1)} MB)`;
      return { label, megapixels, bytes };
    }),
  );
}
