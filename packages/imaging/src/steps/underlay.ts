import { isInvisible, isOpaque } from "../background.ts";
import type { Step } from "./step.ts";

/** Draws a background that is to be seen through, below the picture and its padding. */
export const drawUnderlay: Step = (picture, { background, flatten }) => {
  if (flatten || background === undefined || isOpaque(background) || isInvisible(background))
    return picture;
  const pixel = {
    create: { width: 1, height: 1, channels: 4 as const, background: `#${background}` },
  };
  return picture.composite([{ input: pixel, tile: true, blend: "dest-over" }]);
};
