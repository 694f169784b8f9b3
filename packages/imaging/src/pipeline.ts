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

/** The operations from top to bottom, in libvips' own order (https://github.com/lovell/sharp/blob/main/src/pipeline.cc). */
export const pipeline: Step[] = [
  orient,
  crop,
  flatten,
  convertColorspace,
  resize,
  rotateAndFlip,
  cropToResult,
  extend,
  applyFilters,
  writeExif,
  encode,
];
