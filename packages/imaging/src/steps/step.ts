import type { Timing } from "../animation.ts";
import type { InputColour } from "../input-colour.ts";
import type { Size } from "../layout.ts";
import type { Picture } from "../load-sharp.ts";
import type { Plan } from "../plan.ts";

/** The image that is read, the original or a rung: its upright size in pixels, its colours, and the timing of an animation. */
export type Input = Size & { colour: InputColour; timing?: Timing };

/** One operation of the pipeline. It returns the picture unchanged if the plan does not ask for it. */
export type Step = (picture: Picture, plan: Plan, input: Input) => Picture;
