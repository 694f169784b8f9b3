import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";

/** Repeats `poll` until the signal aborts. An error, such as a database engine that restarts, is logged, and a second later `poll` is called again. */
export async function repeatUntilAborted(
  poll: () => Promise<void>,
  { signal, clock, log, label }: { signal: AbortSignal; clock: Clock; log: Log; label: string },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await poll();
    } catch (error) {
      if (signal.aborted) return;
      log.error(`${label}: ${error instanceof Error ? error.message : String(error)}`);
      await clock.sleep(1000, signal).catch(() => {});
    }
  }
}
