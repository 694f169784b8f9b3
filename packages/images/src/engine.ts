import type Sharp from "sharp";

export type { Metadata, Sharp as Picture, SharpOptions as Options } from "sharp";

let loaded: Promise<typeof Sharp> | undefined;

/** libvips, loaded when the first pixel is needed: importing it costs 41 ms, which a 304 or a stored picture must not pay. */
export const engine = (): Promise<typeof Sharp> =>
  (loaded ??= import("sharp").then(({ default: sharp }) => {
    // a function sees a picture once: libvips' cache of operations only holds memory
    sharp.cache(false);
    return sharp;
  }));
