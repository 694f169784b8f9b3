import type { Step } from "../pipeline.ts";

/** Takes the part that was asked for. Its numbers are pixels of the original; a rung has fewer, so they are scaled and rounded outwards. */
export const extract: Step = (picture, { crop, source }, from) => {
  if (!crop) return picture;
  const across = from.width / source.width;
  const down = from.height / source.height;
  const left = Math.floor(crop.x * across);
  const top = Math.floor(crop.y * down);
  const right = Math.min(from.width, Math.ceil((crop.x + crop.w) * across));
  const bottom = Math.min(from.height, Math.ceil((crop.y + crop.h) * down));
  return picture.extract({ left, top, width: right - left, height: bottom - top });
};
