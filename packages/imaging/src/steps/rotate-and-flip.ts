import type { Step } from "./step.ts";

/** Turns, then mirrors. libvips mirrors first whatever the order of the calls, and a mirror before a quarter turn is the other mirror after it. */
export const rotateAndFlip: Step = (picture, { turn, mirror }) => {
  const isQuarter = turn % 180 !== 0;
  const [h, v] = isQuarter ? [mirror.v, mirror.h] : [mirror.h, mirror.v];
  let turned = picture;
  if (v) turned = turned.flip();
  if (h) turned = turned.flop();
  return turn === 0 ? turned : turned.rotate(turn);
};
