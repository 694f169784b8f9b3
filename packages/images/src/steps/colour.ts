import type { Step } from "../pipeline.ts";

/** Everything leaves in sRGB, 8 bits: what a browser assumes of a picture without a profile. */
export const colour: Step = (picture, { gray }) =>
  gray ? picture.grayscale() : picture.toColourspace("srgb");
