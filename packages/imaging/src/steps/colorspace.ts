import { p3ToSrgb } from "../display-p3.ts";
import type { Step } from "./step.ts";

/** Everything leaves in sRGB, 8 bits: what a browser assumes of a picture without a profile. */
export const convertColorspace: Step = (picture, { gray }, { isProcessedInP3 }) => {
  const shown = isProcessedInP3 ? p3ToSrgb(picture) : picture;
  return gray ? shown.grayscale() : shown.toColourspace("srgb");
};
