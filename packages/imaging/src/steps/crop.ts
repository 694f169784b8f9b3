import type { Size } from "../layout.ts";
import type { Step } from "./step.ts";

/** The long edge in pixels below which the JPEG decoder's own shrinking is visible: it rounds odd sides, and cost thumbnails up to 10 points of SSIMULACRA2. Doing without costs up to 2 ms from a rung. */
export const EXACT_EDGE = 256;

/** Extracts the requested crop. Its numbers are pixels of the original; a rung has fewer, so they are scaled and rounded outwards. */
export const crop: Step = (picture, { crop, source, scale }, from) => {
  // `fastShrinkOnLoad: false` still shrinks by two at a quarter of the size; of an extracted part, even the whole, libvips decodes every pixel
  if (!crop)
    return isRung(from, source) && Math.max(scale.width, scale.height) < EXACT_EDGE
      ? picture.extract({ left: 0, top: 0, width: from.width, height: from.height })
      : picture;
  const across = from.width / source.width;
  const down = from.height / source.height;
  const left = Math.floor(crop.x * across);
  const top = Math.floor(crop.y * down);
  const right = Math.min(from.width, Math.ceil((crop.x + crop.w) * across));
  const bottom = Math.min(from.height, Math.ceil((crop.y + crop.h) * down));
  return picture.extract({ left, top, width: right - left, height: bottom - top });
};

const isRung = (from: Size, source: Size) =>
  from.width < source.width || from.height < source.height;
