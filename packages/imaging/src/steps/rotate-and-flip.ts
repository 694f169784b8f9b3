import type { Step } from "./step.ts";

/** Rotates, then flips. libvips always flips first, and a flip before a quarter turn is the other flip after it. */
export const rotateAndFlip: Step = (picture, { turn, mirror }) => {
  const isQuarter = turn % 180 !== 0;
  const [h, v] = isQuarter ? [mirror.v, mirror.h] : [mirror.h, mirror.v];
  let result = picture;
  if (v) result = result.flip();
  if (h) result = result.flop();
  return turn === 0 ? result : result.rotate(turn);
};
