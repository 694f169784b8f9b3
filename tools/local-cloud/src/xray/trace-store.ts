import { join } from "node:path";

import { openBoundedFile } from "../bounded-file.ts";
import type { Segment } from "./segment.ts";

/** Stores the segments of the last few thousand requests and decides which requests are sampled. */
export type TraceStore = {
  record(segment: Segment): void;
  /** Returns whether to trace a request whose caller has not decided. */
  sample(): boolean;
  stop(): void;
};

/** A request with four to eight segments takes 2 to 4 KB: two files of this size hold 4,000 to 8,000 requests. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Like X-Ray's sampling rules: a number per second and a share of the rest. X-Ray's default is 1 and 5 %; with 100 a developer sees every request, and a load test is not slowed down. */
const ALWAYS_SAMPLED_PER_SECOND = 100;
const SAMPLED_SHARE = 0.05;

export const traceFileOf = (folder: string) => join(folder, "logs", "traces.jsonl");

export function openTraceStore(folder: string, warn: (message: string) => void): TraceStore {
  const file = openBoundedFile(traceFileOf(folder), MAX_BYTES, warn);
  let second = 0;
  let taken = 0;
  return {
    record: (segment) => file.append(JSON.stringify(segment)),
    sample() {
      const now = Math.floor(Date.now() / 1000);
      if (now !== second) {
        second = now;
        taken = 0;
      }
      taken += 1;
      return taken <= ALWAYS_SAMPLED_PER_SECOND || Math.random() < SAMPLED_SHARE;
    },
    stop: () => file.close(),
  };
}
