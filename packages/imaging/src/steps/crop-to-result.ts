import type { Step } from "./step.ts";

/** Crops the scaled picture to its box. */
export const cropToResult: Step = (picture, { cut, width, height }) =>
  typeof cut === "object" ? picture.extract({ ...cut, width, height }) : picture;
