import { MAX_HELD_MEGABYTES } from "../../src/limits.ts";
import { type Outcome, createFuzzProcess } from "../fuzz-process.ts";
import type { Case } from "./case.ts";

/** Processor time of one call. */
const MAX_CPU_MS = 10_000;

/** Runs cases in a process of their own. */
export function createCaseRunner() {
  const { run, stop } = createFuzzProcess();
  return {
    run,
    stop,
    /** A sentence about each case that is neither a picture nor the expected refusal within its limits. Runs all of them, so that one run shows everything. */
    async problemsOf(cases: Iterable<Case>, isQuick = false): Promise<string[]> {
      const found: string[] = [];
      for (const [name, bytes, code] of cases) {
        const problem = problemOf(await run(bytes, isQuick), code);
        if (problem) found.push(`${name}: ${problem}`);
      }
      return found;
    },
  };
}

function problemOf(outcome: Outcome, expectedCode?: string): string | undefined {
  const { type, code, detail, cpuMs, heldMegabytes, slowestCall } = outcome;
  const seen = `${type} ${code} ${detail}`.trim();
  if (type !== "picture" && type !== "refusal") return seen;
  if (expectedCode !== undefined && code !== expectedCode)
    return `${seen}, expected ${expectedCode}`;
  if (type === "refusal" && !/^image\.[a-z_]+$/.test(code)) return `${seen}: not a code`;
  if (cpuMs > MAX_CPU_MS) return `${seen} after ${cpuMs} ms of ${slowestCall}`;
  if (heldMegabytes > MAX_HELD_MEGABYTES) return `${seen} with ${heldMegabytes} MB held`;
  return undefined;
}
