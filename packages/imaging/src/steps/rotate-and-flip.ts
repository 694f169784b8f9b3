import type { Step } from "./step.ts";

/** Rotates, then flips. libvips always flips first, and a flip before a quarter turn is the other flip after it. */
export const rotateAndFlip: Step = (picture, { turn, mirror }) => {
  const isQuarter = turn % 180 !== 0;
  const [h, v] = isQuarter ? [mirror.v, mirror.h] : [mirror.h, mirror.v];
  let turned = picture;
  if (v) turned = turned.flip();
  if (h) turned = turned.flop();
  return turn === 0 ? turned : turned.rotate(turn);
};
