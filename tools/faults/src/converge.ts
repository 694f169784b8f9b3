import { setTimeout as sleep } from "node:timers/promises";

import { findContradictions } from "./audit.ts";
import type { Balde } from "./start-balde.ts";

/** How far the clock is moved at once while only hidden or delayed messages are left. */
const STEP_MS = 40_000;
const POLL_MS = 250;

export type Converged = {
  /** Time on the cloud's clock until the last contradiction was gone and the last message worked on. */
  ms: number;
  /** What was still wrong when the time was over. */
  contradictions: string[];
  /** Messages that were given up. */
  deadLetters: number;
};

/**
 * Waits until every message was worked on and everything stored is what the rows say. While messages only wait for their
 * time, the cloud's clock is moved, not the real one.
 * @param withinMs on the real clock
 */
export async function converge({ cloud, stores }: Balde, withinMs: number): Promise<Converged> {
  const start = cloud.clock.now();
  const deadline = Date.now() + withinMs;
  let quiet = 0;
  for (;;) {
    const [ingest, sync] = [
      await stores.messages("IngestQueue"),
      await stores.messages("SyncQueue"),
    ];
    const hidden = ingest.hidden + sync.hidden;
    const isIdle = ingest.visible + sync.visible + hidden === 0;
    const contradictions = isIdle ? await findContradictions(stores) : ["messages are waiting"];
    if (contradictions.length === 0 || Date.now() > deadline) {
      const dead = await stores.messages("Dead");
      return {
        ms: cloud.clock.now() - start,
        contradictions: isIdle ? contradictions : [JSON.stringify({ ingest, sync })],
        deadLetters: dead.visible + dead.hidden,
      };
    }
    // a process that works needs real time
    quiet = ingest.visible + sync.visible === 0 ? quiet + 1 : 0;
    if (quiet % 6 === 5) await cloud.clock.advance(STEP_MS);
    await sleep(POLL_MS);
  }
}
