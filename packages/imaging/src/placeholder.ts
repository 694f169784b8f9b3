import { rgbaToThumbHash } from "thumbhash";

import type { Size } from "./layout.ts";

/** The largest side that ThumbHash accepts, in pixels. */
export const EDGE = 100;

/** ThumbHash (base64) and dominant colour (`#rrggbb`) from a small RGBA picture: `stats()` on the original would cost half a second for the same colour. */
export const placeholder = (
  rgba: Buffer,
  { width, height }: Size,
): { color: string; thumbhash: string } => ({
  color: dominant(rgba),
  thumbhash: Buffer.from(rgbaToThumbHash(width, height, rgba)).toString("base64"),
});

/** The mean of the most frequent of 512 coarse colours; each pixel counts by its opacity. */
function dominant(rgba: Buffer): string {
  const bins = new Float64Array(512 * 4);
  for (let at = 0; at + 3 < rgba.length; at += 4) {
    const [r = 0, g = 0, b = 0, alpha = 0] = rgba.subarray(at, at + 4);
    const bin = (((r >> 5) << 6) | ((g >> 5) << 3) | (b >> 5)) * 4;
    bins[bin] = (bins[bin] ?? 0) + alpha;
    bins[bin + 1] = (bins[bin + 1] ?? 0) + alpha * r;
    bins[bin + 2] = (bins[bin + 2] ?? 0) + alpha * g;
    bins[bin + 3] = (bins[bin + 3] ?? 0) + alpha * b;
  }
  let best = 0;
  for (let bin = 4; bin < bins.length; bin += 4)
    if ((bins[bin] ?? 0) > (bins[best] ?? 0)) best = bin;
  const [weight = 0, ...sums] = bins.subarray(best, best + 4);
  // a fully transparent picture is shown on white
  if (weight === 0) return "#ffffff";
  return `#${sums
    .map((sum) =>
      Math.round(sum / weight)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}
