import type { Encoding } from "./encoder-settings.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";

// The cost of a plan, computed before the work: seconds of one processor (2 vCPU EPYC, sharp 0.35.5, noise at the highest
// quality, the worst case for encoders) per megapixel of the picture.

/** GIF and palette PNG search for the best colours; the other formats only encode. */
function encoding(encoding: Encoding): number {
  switch (encoding.format) {
    case "gif":
      return 0.7;
    case "png":
      return encoding.colours === "all" ? 0.1 : 0.55;
    case "avif":
      if (encoding.quality === "lossless") return 0.8;
      return encoding.effort === 0 ? 0.38 : 0.9;
    case "webp":
      // a photograph costs more than noise here, which cannot be predicted and is given up on
      return encoding.quality === "lossless" ? 0.3 : 0.14;
    case "jpeg":
      return 0.03;
  }
}

/** The width of a Gaussian grows with its sigma: seconds per megapixel and pixel of sigma. */
const BLUR = 0.002;
const SHARPEN = 0.016;

type Made = Size & {
  encoding: Encoding;
  blur?: number | undefined;
  sharpen?: number | undefined;
};

function seconds({ width, height, blur = 0, sharpen = 0, ...made }: Made, frames: number): number {
  const each = encoding(made.encoding) + blur * BLUR + sharpen * SHARPEN;
  return ((width * height * frames) / 1e6) * each;
}

/**
 * Checks that a plan's cost is within the limit.
 *
 * @throws delivery.too_much_work
 */
export function check(made: Made, frames: number): void {
  const work = seconds(made, frames);
  if (work <= Limits.MAX_RENDER_COST_SECONDS) return;
  const what =
    frames > 1
      ? `${frames} frames of ${made.width} × ${made.height}`
      : `${made.width} × ${made.height} pixels`;
  throw new Refusal(
    "invalid",
    "delivery.too_much_work",
    `${what} as ${made.encoding.format}${made.blur ? `, blur=${made.blur}` : ""}${made.sharpen ? `, sharpen=${made.sharpen}` : ""} take about ${Math.ceil(work)} seconds to make; at most ${Limits.MAX_RENDER_COST_SECONDS} are allowed. Ask for a smaller w${made.encoding.format === "webp" || made.encoding.format === "jpeg" ? "" : " or for webp"}`,
  );
}
