import { setTimeout as wait } from "node:timers/promises";

/** Every rule about time (visibility, expiry, retries, token buckets) asks this clock, so a test can move it instead of sleeping. */
export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  /** How long ago something was dated, by this clock or by the real one, which other programs read. */
  since(dated: number): number;
  /** Resolves when the clock has moved `ms` on; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Moves the clock on by `ms` and wakes every sleeper that is due, earliest first. */
  advance(ms: number): Promise<void>;
};

/** The real clock, with an offset that `advance` moves: sleepers wake at their real time or when the offset overtakes it. */
export function createClock(): Clock {
  let offset = 0;
  const jumps: { at: number; offset: number }[] = [];
  const sleepers = new Set<{ due: number; wake: () => void }>();
  const now = () => Date.now() + offset;

  return {
    now,
    since(dated) {
      const real = Date.now() - dated;
      // ahead of the real clock, it was read from this one, unless it is nearer to the real one
      if (real < 0) return Math.abs(now() - dated) < -real ? now() - dated : real;
      // signatures are dated to the second: one from the second of a jump counts as made after it
      const jump = jumps.findLast(({ at }) => at <= dated + 999);
      return now() - dated - (jump?.offset ?? 0);
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      const timer = new AbortController();
      const sleeper = { due: now() + ms, wake: () => timer.abort() };
      const abort = () => timer.abort();
      sleepers.add(sleeper);
      signal?.addEventListener("abort", abort, { once: true });
      try {
        await wait(ms, undefined, { signal: timer.signal });
      } catch {
        signal?.throwIfAborted();
      } finally {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", abort);
      }
    },
    async advance(ms) {
      offset += ms;
      jumps.push({ at: Date.now(), offset });
      const due = [...sleepers].filter((sleeper) => sleeper.due <= now());
      for (const sleeper of due.toSorted((a, b) => a.due - b.due)) {
        sleeper.wake();
        await wait(0);
      }
    },
  };
}
