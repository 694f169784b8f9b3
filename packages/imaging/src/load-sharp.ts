import { createRequire } from "node:module";

import type Sharp from "sharp";

export type { Metadata, Sharp as Picture, SharpOptions as Options } from "sharp";

let loaded: Promise<typeof Sharp> | undefined;

/** sharp with libvips, loaded on the first call: a 304 or a stored derivative does not need it. */
export const loadSharp = (): Promise<typeof Sharp> => (loaded ??= load());

async function load() {
  const sharp = await importSharp();
  // a function processes an image once, so libvips' operation cache would only use memory
  sharp.cache(false);
  sharp.block({ operation: [SVG_LOADER] });
  return sharp;
}

/**
 * SST keeps the package `sharp` out of every bundle, because it has an addon. Under another name its JavaScript becomes one
 * file of the bundle, and only the addon is read from the package: one file loads in 0.69 of the processor time of the files of
 * sharp and its dependencies (docs/adr/0013-cold-start.md). Where the addon is not beside the bundle, the installed package is loaded.
 */
async function importSharp(): Promise<typeof Sharp> {
  try {
    return (await import("sharp-bundled")).default;
  } catch (error) {
    console.warn("The bundled sharp could not be loaded, the installed one is used", error);
    return createRequire(import.meta.url)("sharp") as typeof Sharp;
  }
}

const SVG_LOADER = "VipsForeignLoadSvg";

/** sharp that also reads SVG, for the rest of the process. Without this call sharp refuses SVG: only the process that prepares images draws it, after the checks of svg.ts. */
export async function loadSharpForSvg(): Promise<typeof Sharp> {
  const sharp = await loadSharp();
  sharp.unblock({ operation: [SVG_LOADER] });
  return sharp;
}
