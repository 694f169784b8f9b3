import { readFileSync } from "node:fs";
import sharp, { type Sharp } from "sharp";

// The engine with nothing around it, with Balde's settings: no server can be faster than this.

type Order = { id: number; file: string; edge: number; format: "webp" | "avif" | "jpeg" };

const settings = {
  webp: (picture: Sharp) => picture.webp({ quality: 80, effort: 2 }),
  avif: (picture: Sharp) => picture.avif({ quality: 52, effort: 0, chromaSubsampling: "4:2:0" }),
  jpeg: (picture: Sharp) => picture.jpeg({ quality: 80 }),
};

sharp.cache(false);
process.on("message", (order: Order) => void make(order));
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

async function make({ id, file, edge, format }: Order) {
  await settings[format](sharp(readFileSync(file)).resize(edge)).toBuffer();
  process.send?.(id);
}
