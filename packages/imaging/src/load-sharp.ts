import { createRequire } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";

import type Sharp from "sharp";

export type { Metadata, Sharp as Picture, SharpOptions as Options } from "sharp";

/** CommonJS, because Node's loader of ES modules takes 50 % longer for sharp's twenty files, at every cold start. */
const require = createRequire(import.meta.url);

let loaded: Promise<typeof Sharp> | undefined;

/** sharp with libvips, loaded at the first call, because a 304 or a stored derivative does not need it. */
export const loadSharp = (): Promise<typeof Sharp> => (loaded ??= load());

/** Most of the time goes into the many small files of sharp's dependencies. */
const dependencies = ["detect-libc", "semver", "@img/colour"];

/**
 * Loads sharp piece by piece, each in a turn of the event loop of its own: what arrives from the network meanwhile waits for
 * one piece, not for all. Stops when the signal is aborted; `loadSharp` then loads the rest.
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
  // a function processes an image once, so libvips' cache of operations would only use memory
  sharp.cache(false);
  return sharp;
}
