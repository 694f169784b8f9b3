import type { Step } from "./step.ts";
import { swapSidesIfTurned } from "../plan.ts";
import { EXACT_EDGE } from "./crop.ts";

/** Scales to exactly the planned numbers: `fill`, because the plan computed them from the original and a rung's own rounding must not change them. */
export const resize: Step = (picture, { scale, cut, width, height, turn }) => {
  const isStrategy = typeof cut === "string";
  // what is interesting is looked for by the scaler itself, which then cuts to the final size
  const target = swapSidesIfTurned(isStrategy ? { width, height } : scale, turn);
  return picture.resize({
    ...target,
    fit: isStrategy ? "cover" : "fill",
    ...(isStrategy ? { position: cut } : {}),
    fastShrinkOnLoad: Math.max(target.width, target.height) >= EXACT_EDGE,
  });
};
