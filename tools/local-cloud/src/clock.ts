import { setTimeout as wait } from "node:timers/promises";

/** Every rule about time (visibility, expiry, retries, token buckets) uses this clock, so that a test can move it instead of sleeping. */
export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Returns how many milliseconds of this clock have passed since a date of the real clock, jumps included; negative for a date in the future. */
  sinceReal(date: number): number;
  /** Returns `now() - date`, or less if the date was read before an earlier call of `advance`: the difference to the nearest time that this clock, had it not been moved since, would show. */
  differenceTo(date: number): number;
  /** Resolves when `ms` have passed on this clock; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Moves the clock forward by `ms` and wakes every sleeper that is due, the earliest first. */
  advance(ms: number): Promise<void>;
};

/** Returns the real clock with an offset that `advance` increases: a sleeper wakes after its real time, or earlier when the offset reaches it. */
export function createClock(): Clock {
  let offset = 0;
  const jumps: { at: number; offset: number }[] = [];
  const sleepers = new Set<{ due: number; wake: () => void }>();
  const now = () => Date.now() + offset;

  return {
    now,
    sinceReal(date) {
      const real = Date.now() - date;
      if (real < 0) return real;
      // dates of signatures have no milliseconds: one of the second of a jump counts as read after it
      const jump = jumps.findLast(({ at }) => at <= date + 999);
      return now() - date - (jump?.offset ?? 0);
    },
    differenceTo(date) {
      const differences = [0, ...jumps.map((jump) => jump.offset)].map(
        (before) => Date.now() + before - date,
      );
      return differences.reduce((least, one) => (Math.abs(one) < Math.abs(least) ? one : least));
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
