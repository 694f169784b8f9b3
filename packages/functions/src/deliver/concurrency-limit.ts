import { VisibleError } from "@balde/core/error";

export type ConcurrencyLimit = {
  /**
   * Resolves when it is the caller's turn, in the order of the calls, with a function that ends the turn.
   *
   * @throws delivery.busy when too many wait already
   */
  acquire(): Promise<() => void>;
};

/** Lets `maxRunning` callers run and `maxWaiting` wait; more are refused at once. */
export function createConcurrencyLimit({
  maxRunning,
  maxWaiting,
}: {
  maxRunning: number;
  maxWaiting: number;
}): ConcurrencyLimit {
  let free = maxRunning;
  const waiting: (() => void)[] = [];

  function release() {
    const next = waiting.shift();
    // the turn passes to the next in line directly, so that a new caller cannot take it in between
    if (next) next();
    else free += 1;
  }

  return {
    async acquire() {
      if (free > 0) free -= 1;
      else if (waiting.length >= maxWaiting) throw busy();
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return release;
    },
  };
}

/** libvips keeps one processor busy per image, and a function has one or two. A ninth request in line would wait longer than it takes to ask again. */
export const renderLimit: ConcurrencyLimit = createConcurrencyLimit({
  maxRunning: 2,
  maxWaiting: 8,
});

const busy = () =>
  new VisibleError("unavailable", "delivery.busy", "Too many images are being rendered right now", {
    retryAfterSeconds: 1,
  });
