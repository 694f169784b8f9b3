import type { Step } from "./step.ts";

/** Blurs and sharpens, in this order, at the delivered size. */
export const applyFilters: Step = (picture, { blur, sharpen }) => {
  const blurred = blur === undefined ? picture : picture.blur(blur);
  return sharpen === undefined ? blurred : blurred.sharpen({ sigma: sharpen });
};
