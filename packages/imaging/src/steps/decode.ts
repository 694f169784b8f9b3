import type { Options } from "../load-sharp.ts";
import * as Limits from "../limits.ts";
import type { Plan } from "../plan.ts";

/** How the bytes are opened. `error` refuses pictures that end early and lets harmless warnings of old cameras pass. */
export function decode(plan: Plan): Options {
  const moves = plan.frames === "all";
  return {
    failOn: "error",
    limitInputPixels: moves
      ? Limits.MAX_ANIMATION_PIXELS
      : Math.max(...Object.values(Limits.MAX_PIXELS)),
    sequentialRead: true,
    animated: moves,
    density: density(plan),
  };
}

/** Drawings are rasterised at the size they are needed in instead of being enlarged afterwards; everything else ignores it. With `crop` they keep the size that its numbers speak of. */
function density({ source, scale, crop, turn, trim }: Plan): number {
  if (crop ?? trim) return 72;
  const [across, down] =
    turn % 180 === 0 ? [scale.width, scale.height] : [scale.height, scale.width];
  const factor = Math.max(across / source.width, down / source.height);
  const most = Math.sqrt(Limits.MAX_PIXELS.svg / (source.width * source.height));
  return Math.min(Math.max(72 * Math.min(factor, most), 1), 10_000);
}
