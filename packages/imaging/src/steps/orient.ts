import type { Step } from "./step.ts";

/** Applies the EXIF orientation, before anything is measured or cut. Moving pictures have none. */
export const orient: Step = (picture, plan) =>
  plan.frames === "all" ? picture : picture.autoOrient();
