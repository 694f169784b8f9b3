import type { Step } from "./step.ts";

/** Fills the box around a contained picture. */
export const extend: Step = (picture, { pad, background = "ffffff" }) =>
  pad ? picture.extend({ ...pad, background: `#${background}` }) : picture;
