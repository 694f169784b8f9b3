import { readFileSync } from "node:fs";
import sharp, { type Sharp } from "sharp";

// sharp alone with Balde's settings: no server can be faster.

type Job = { id: number; file: string; width: number; format: "webp" | "avif" | "jpeg" };

const settings = {
  webp: (image: Sharp) => image.webp({ quality: 80, effort: 2 }),
  avif: (image: Sharp) => image.avif({ quality: 52, effort: 0, chromaSubsampling: "4:2:0" }),
  jpeg: (image: Sharp) => image.jpeg({ quality: 80 }),
};

sharp.cache(false);
process.on("message", (job: Job) => void render(job));
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

async function render({ id, file, width, format }: Job) {
  await settings[format](sharp(readFileSync(file)).resize(width)).toBuffer();
  process.send?.(id);
}
