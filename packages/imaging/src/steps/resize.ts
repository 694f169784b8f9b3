import type { Step } from "./step.ts";
import { swapSidesIfTurned } from "../plan.ts";
import { EXACT_EDGE } from "./crop.ts";

/** Scales to exactly the planned size: `fill`, because the plan computed it from the original and a rung's rounding must not change it. */
export const resize: Step = (picture, { scale, cut, width, height, turn }) => {
  const isStrategy = typeof cut === "string";
  // the scaler itself searches for the interesting part and crops to the final size
  const target = swapSidesIfTurned(isStrategy ? { width, height } : scale, turn);
  return picture.resize({
    ...target,
    fit: isStrategy ? "cover" : "fill",
    ...(isStrategy ? { position: cut } : {}),
    fastShrinkOnLoad: Math.max(target.width, target.height) >= EXACT_EDGE,
  });
};
