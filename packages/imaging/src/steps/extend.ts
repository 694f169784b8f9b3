import { isOpaque } from "../background.ts";
import type { Step } from "./step.ts";

/** Pads a contained picture to its box; transparent where the background is to be seen through, because a later step draws it. */
export const extend: Step = (picture, { pad, background = "ffffff" }) =>
  pad
    ? picture.extend({ ...pad, background: isOpaque(background) ? `#${background}` : "#00000000" })
    : picture;
