// The budget-free widths and heights: the client's `srcset` requests them, and delivery rounds to them when an image's budget
// is spent (budget-free-plans.ts). In device pixels, smallest first.

export const EDGES = [160, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3200, 3840] as const;

/** The next edge of the grid; the last one for everything above it. */
export const roundUp = (edge: number): number =>
  EDGES.find((each) => each >= edge) ?? EDGES.at(-1)!;
