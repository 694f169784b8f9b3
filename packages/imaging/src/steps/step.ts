import type { Size } from "../layout.ts";
import type { Picture } from "../load-sharp.ts";
import type { Plan } from "../plan.ts";

/** The image that is read, the original or a rung: its upright size in pixels, and whether sharp processes it in Display P3 (display-p3.ts). */
type Input = Size & { isProcessedInP3: boolean };

/** One operation of the pipeline. It returns the picture unchanged if the plan does not ask for it. */
export type Step = (picture: Picture, plan: Plan, input: Input) => Picture;
