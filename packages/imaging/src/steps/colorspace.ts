import { p3ToSrgb } from "../display-p3.ts";
import type { Step } from "./step.ts";

/** Converts to sRGB with 8 bits, which a browser assumes for a picture without a profile. */
export const convertColorspace: Step = (picture, { gray }, { isProcessedInP3 }) => {
  const shown = isProcessedInP3 ? p3ToSrgb(picture) : picture;
  return gray ? shown.grayscale() : shown.toColourspace("srgb");
};
