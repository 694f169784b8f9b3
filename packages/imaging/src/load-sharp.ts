import { createRequire } from "node:module";
import type Sharp from "sharp";

export type { Metadata, Sharp as Picture, SharpOptions as Options } from "sharp";

/** As CommonJS: node's loader of modules takes half as long again for sharp's twenty files, and a function waits for it at every cold start. */
const require = createRequire(import.meta.url);

let loaded: Promise<typeof Sharp> | undefined;

/** libvips, loaded when the first pixel is needed: a 304 or a stored picture must not pay for it. */
export const engine = (): Promise<typeof Sharp> => (loaded ??= load());

async function load() {
  const sharp = require("sharp") as typeof Sharp;
  // a function sees a picture once: libvips' cache of operations only holds memory
  sharp.cache(false);
  return sharp;
}
