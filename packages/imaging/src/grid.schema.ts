// The sizes that are most likely to be stored already: the client's `srcset` asks for them, and delivery rounds to them when
// it must (published.ts). In device pixels, of a width or a height, smallest first.

export const EDGES = [160, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3200, 3840] as const;

/** The next edge of the grid; the last one for everything above it. */
export const roundUp = (edge: number): number =>
  EDGES.find((each) => each >= edge) ?? EDGES.at(-1)!;
