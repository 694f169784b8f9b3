/** Returns a generator of numbers from 0 to 1 that depend on the seed only: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns one of the values. */
export const pick = <T>(random: () => number, values: readonly T[]): T =>
  values[Math.floor(random() * values.length)]!;

/** Returns the seed in the environment variable SEED, with which a failure can be repeated, or a new one. */
export const seedFromEnvironment = (): number =>
  Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
