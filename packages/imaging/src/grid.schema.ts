// The sizes that are most likely to be stored already: the client's `srcset` requests them, and delivery rounds to them when
// the budget is spent (budget-free-plans.ts). In device pixels, of a width or a height, smallest first.

export const EDGES = [160, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3200, 3840] as const;

/**
 * Sides that are free where a request has only one: those of the grid, and the widths that Next's and Nuxt's image components
 * and unpic request by default (docs/adr/0021-budget.md). Both sides of a box have the grid's, because of the number of pairs.
 */
export const SINGLE_EDGES: readonly number[] = [
  16, 32, 48, 64, 96, 128, 160, 256, 320, 384, 480, 640, 750, 768, 800, 828, 960, 1024, 1080, 1200,
  1280, 1536, 1600, 1668, 1920, 2048, 2560, 3072, 3200, 3840,
];

/** The smallest of these edges that is at least `edge` pixels; the largest one if there is none. */
export const roundUp = (edge: number, edges: readonly number[] = EDGES): number =>
  edges.find((each) => each >= edge) ?? edges.at(-1)!;
