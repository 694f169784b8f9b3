import { createRequire } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";

import type Sharp from "sharp";

export type { Metadata, Sharp as Picture, SharpOptions as Options } from "sharp";

/** sharp is loaded as CommonJS: Node's module loader takes half as long again for its twenty files, which every cold start would wait for. */
const require = createRequire(import.meta.url);

let loaded: Promise<typeof Sharp> | undefined;

/** sharp with libvips, loaded on the first call: a 304 or a stored derivative does not need it. */
export const loadSharp = (): Promise<typeof Sharp> => (loaded ??= load());

/** sharp's dependencies with many small files, which take most of the time. */
const dependencies = ["detect-libc", "semver", "@img/colour"];

/**
 * Loads sharp piece by piece, each in a turn of the event loop of its own, so that data from the network waits for one piece
 * and not for all. Stops when the signal is aborted; `loadSharp` then loads the rest.
 */
export async function preloadSharp(signal: AbortSignal): Promise<void> {
  if (loaded) return;
  const requireFromSharp = createRequire(require.resolve("sharp"));
  for (const name of dependencies) {
    if (signal.aborted) return;
    try {
      requireFromSharp(name);
    } catch {
      // another version of sharp has other dependencies, and loads them itself
    }
    await nextTurn();
  }
  if (!signal.aborted) await loadSharp();
}

async function load() {
  const sharp = require("sharp") as typeof Sharp;
  // a function processes an image once, so libvips' operation cache would only use memory
  sharp.cache(false);
  sharp.block({ operation: [SVG_LOADER] });
  return sharp;
}

const SVG_LOADER = "VipsForeignLoadSvg";

/** sharp that also reads SVG, for the rest of the process. Without this call sharp refuses SVG: only the process that prepares images draws it, after the checks of svg.ts. */
export async function loadSharpForSvg(): Promise<typeof Sharp> {
  const sharp = await loadSharp();
  sharp.unblock({ operation: [SVG_LOADER] });
  return sharp;
}
