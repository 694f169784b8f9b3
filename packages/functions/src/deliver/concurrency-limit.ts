import { VisibleError } from "@balde/core/error";

/** Lets `running` works run and `waiting` ones wait in order; whoever comes then is refused at once instead of waiting for nothing. */
export function createGate({ running, waiting }: { running: number; waiting: number }) {
  let free = running;
  const queue: (() => void)[] = [];

  return async function pass<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free -= 1;
    else if (queue.length >= waiting) throw busy();
    // whoever leaves hands on his place, so nobody can slip in between
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free += 1;
    }
  };
}

const busy = () =>
  new VisibleError("unavailable", "delivery.busy", "Too many pictures are being made right now", {
    retryAfterSeconds: 1,
  });
