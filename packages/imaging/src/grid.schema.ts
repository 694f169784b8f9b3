// The sizes that are most likely to be stored already: the client's `srcset` requests them, and delivery rounds to them when
// the budget is spent (budget-free-plans.ts). In device pixels, of a width or a height, smallest first.

export const EDGES = [160, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3200, 3840] as const;

/** The smallest edge of the grid that is at least `edge` pixels; the largest one if there is none. */
export const roundUp = (edge: number): number =>
  EDGES.find((each) => each >= edge) ?? EDGES.at(-1)!;
