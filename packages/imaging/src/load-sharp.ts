import { createRequire } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";

import type Sharp from "sharp";

export type { Metadata, Sharp as Picture, SharpOptions as Options } from "sharp";

/** As CommonJS: node's loader of modules takes half as long again for sharp's twenty files, and a function waits for it at every cold start. */
const require = createRequire(import.meta.url);

let loaded: Promise<typeof Sharp> | undefined;

/** libvips, loaded when the first pixel is needed: a 304 or a stored picture must not pay for it. */
export const loadSharp = (): Promise<typeof Sharp> => (loaded ??= load());

/** Most of the time goes into the many small files of sharp's dependencies. */
const dependencies = ["detect-libc", "semver", "@img/colour"];

/**
 * Loads sharp piece by piece, each in a turn of the event loop of its own: what arrives from the network meanwhile waits for
 * one piece, not for all. Stops when the signal is aborted; `engine` then loads the rest.
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
  // a function sees a picture once: libvips' cache of operations only holds memory
  sharp.cache(false);
  return sharp;
}
