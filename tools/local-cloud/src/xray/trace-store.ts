import { join } from "node:path";

import { openBoundedFile } from "../bounded-file.ts";
import type { Segment } from "./segment.ts";

/** What X-Ray is on a laptop: takes segments, keeps the last few thousand requests, decides what is sampled. */
export type Traces = {
  record(segment: Segment): void;
  /** Whether a request that nobody has decided about is traced. */
  sample(): boolean;
  stop(): void;
};

/** A request of Balde is 2 to 4 KB in four to eight segments: two files of this size are 4,000 to 8,000 requests. */
const MAX_BYTES = 8 * 1024 * 1024;

/** As X-Ray's rules, a reservoir and a share of the rest: X-Ray's own are 1 a second and 5 %. Here a person at work sees each of his requests, and a load test does not wait for its traces. */
const RESERVOIR = 100;
const SHARE = 0.05;

export const fileOf = (folder: string) => join(folder, "logs", "traces.jsonl");

export function openTraces(folder: string, warn: (message: string) => void): Traces {
  const file = openBoundedFile(fileOf(folder), MAX_BYTES, warn);
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
      return taken <= RESERVOIR || Math.random() < SHARE;
    },
    stop: () => file.close(),
  };
}
