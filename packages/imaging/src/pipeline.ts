import { convertColorspace } from "./steps/colorspace.ts";
import { writeExif } from "./steps/write-exif.ts";
import { cropToResult } from "./steps/crop-to-result.ts";
import { encode } from "./steps/encode.ts";
import { extend } from "./steps/extend.ts";
import { crop } from "./steps/crop.ts";
import { flatten } from "./steps/flatten.ts";
import { applyFilters } from "./steps/filters.ts";
import { orient } from "./steps/orient.ts";
import { resize } from "./steps/resize.ts";
import { rotateAndFlip } from "./steps/rotate-and-flip.ts";
import type { Step } from "./steps/step.ts";
import { drawUnderlay } from "./steps/underlay.ts";

// The operations from top to bottom, in libvips' own order (https://github.com/lovell/sharp/blob/main/src/pipeline.cc). Each list
// can be a pipeline of libvips of its own; together they are one where nothing speaks against it (render.ts).

/** The image's own colours and pixels; its result is in sRGB. */
export const imageSteps: Step[] = [orient, crop, convertColorspace, resize];

/** What is done in sRGB, so that a background has the requested colour. */
export const canvasSteps: Step[] = [
  flatten,
  rotateAndFlip,
  cropToResult,
  extend,
  applyFilters,
  drawUnderlay,
];

export const outputSteps: Step[] = [writeExif, encode];
