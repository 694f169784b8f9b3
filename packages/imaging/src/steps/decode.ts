import type { Options } from "../load-sharp.ts";
import * as Limits from "../limits.ts";
import type { Plan } from "../plan.ts";

/** sharp's options for reading the bytes. `error` refuses images that end early and accepts harmless warnings of old cameras. */
export function decode(plan: Plan): Options {
  const isAnimated = plan.frames === "all";
  return {
    failOn: "error",
    limitInputPixels: isAnimated
      ? Limits.MAX_ANIMATION_PIXELS
      : Math.max(...Object.values(Limits.MAX_PIXELS)),
    sequentialRead: true,
    animated: isAnimated,
    density: density(plan),
  };
}

/** An SVG is rasterised at the needed size instead of being enlarged afterwards; other formats ignore the density. With `crop` it keeps its own size, which the crop's numbers refer to. */
function density({ source, scale, crop, turn, trim }: Plan): number {
  if (crop ?? trim) return 72;
  const [across, down] =
    turn % 180 === 0 ? [scale.width, scale.height] : [scale.height, scale.width];
  const factor = Math.max(across / source.width, down / source.height);
  const most = Math.sqrt(Limits.MAX_PIXELS.svg / (source.width * source.height));
  return Math.min(Math.max(72 * Math.min(factor, most), 1), 10_000);
}
