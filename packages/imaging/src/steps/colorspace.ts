import { toSrgb } from "../input-colour.ts";
import type { Step } from "./step.ts";

/** Converts to sRGB with 8 bits, which a browser assumes for a picture without a profile. */
export const convertColorspace: Step = (picture, { gray }, { colour }) => {
  const shown = toSrgb(picture, colour);
  return gray ? shown.grayscale() : shown;
};
