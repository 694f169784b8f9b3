import type { Step } from "./step.ts";

/** Applies the EXIF orientation before anything is measured or cropped. Animations have none. */
export const orient: Step = (picture, plan) =>
  plan.frames === "all" ? picture : picture.autoOrient();
