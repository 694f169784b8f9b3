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
  };
}
