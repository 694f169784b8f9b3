import type { Step } from "./step.ts";

/** Puts transparent pixels on the background, or on white. */
export const flatten: Step = (picture, { flatten, background = "ffffff" }) =>
  flatten ? picture.flatten({ background: `#${background}` }) : picture;
