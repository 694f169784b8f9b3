import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";

/** Repeats `turn` until the signal aborts. What a turn throws is a bug or an engine that is away for a moment: said, and tried again. */
export async function work(
  turn: () => Promise<void>,
  { signal, clock, log, what }: { signal: AbortSignal; clock: Clock; log: Log; what: string },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await turn();
    } catch (error) {
      if (signal.aborted) return;
      log.error(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      await clock.sleep(1000, signal).catch(() => {});
    }
  }
}
