import { toSrgb } from "../display-p3.ts";
import type { Step } from "../pipeline.ts";

/** Everything leaves in sRGB, 8 bits: what a browser assumes of a picture without a profile. */
export const colour: Step = (picture, { gray }, { isDeep }) => {
  const shown = isDeep ? toSrgb(picture) : picture;
  return gray ? shown.grayscale() : shown.toColourspace("srgb");
};
