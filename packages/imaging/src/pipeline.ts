import type { Picture } from "./load-sharp.ts";
import type { Size } from "./layout.ts";
import type { Plan } from "./plan.ts";
import { colour } from "./steps/colorspace.ts";
import { credit } from "./steps/write-exif.ts";
import { cut } from "./steps/crop-to-result.ts";
import { encode } from "./steps/encode.ts";
import { extend } from "./steps/extend.ts";
import { extract } from "./steps/crop.ts";
import { flatten } from "./steps/flatten.ts";
import { focus } from "./steps/filters.ts";
import { orient } from "./steps/orient.ts";
import { resize } from "./steps/resize.ts";
import { turn } from "./steps/rotate-and-flip.ts";

/** What is read, the original or a rung: its upright size, and whether sharp works on it in Display P3 (deep.ts). */
type From = Size & { isDeep: boolean };

/** Does its one thing if the plan asks for it. */
export type Step = (picture: Picture, plan: Plan, from: From) => Picture;

/** What happens to a picture, top to bottom, in the order libvips works (https://github.com/lovell/sharp/blob/main/src/pipeline.cc). */
export const pipeline: Step[] = [
  orient,
  extract,
  flatten,
  colour,
  resize,
  turn,
  cut,
  extend,
  focus,
  credit,
  encode,
];
