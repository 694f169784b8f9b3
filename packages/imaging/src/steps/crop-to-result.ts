import type { Step } from "../pipeline.ts";

/** Cuts the scaled picture down to its box. */
export const cut: Step = (picture, { cut, width, height }) =>
  typeof cut === "object" ? picture.extract({ ...cut, width, height }) : picture;
