import type { Step } from "./step.ts";

/** Pads a contained picture to its box. */
export const extend: Step = (picture, { pad, background = "ffffff" }) =>
  pad ? picture.extend({ ...pad, background: `#${background}` }) : picture;
