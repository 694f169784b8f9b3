import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import type { Trial } from "./fuzz-process.child.ts";

/** The result of processing some bytes. Every type but `picture` and `refusal` is a bug of ours. */
export type Outcome = {
  type: "picture" | "refusal" | "failure" | "crash" | "hang";
  /** The refusal's code, or what happened instead. */
  code: string;
  detail: string;
  /** The call that used the most processor time: `identify`, `prepare`, or the request that was rendered. */
  slowestCall: string;
  /** Processor time of that call on all threads, in milliseconds. */
  cpuMs: number;
  /** The peak of resident memory minus what the process held before, in megabytes; 0 where it cannot be measured. */
  heldMegabytes: number;
};

/** Real time for all calls of one trial: more than any needs on a busy machine, so that a hang is noticed. */
const MAX_TRIAL_MS = 100_000;

/**
 * Processes bytes as ingest and delivery do, in a child process that may crash; the next bytes then get a new one. `isQuick`
 * renders one delivery request instead of four.
 */
export function createFuzzProcess() {
  let child: ChildProcess | undefined;

  async function run(bytes: Buffer, isQuick = false): Promise<Outcome> {
    const current = (child ??= fork(join(import.meta.dirname, "fuzz-process.child.ts"), {
      serialization: "advanced",
      // libraries print warnings about damaged files
      stdio: ["ignore", "inherit", "ignore", "ipc"],
    }));
    const finished = new AbortController();
    const { signal } = finished;
    const hang = new Promise<Outcome>((resolve) => {
      const timeout = setTimeout(
        () => resolve(endedWith("hang", `after ${MAX_TRIAL_MS} ms`)),
        MAX_TRIAL_MS,
      );
      signal.addEventListener("abort", () => clearTimeout(timeout));
    });
    current.send({ bytes, isQuick } satisfies Trial);
    const outcome = await Promise.race([
      once(current, "message", { signal }).then(([message]) => message as Outcome),
      once(current, "exit", { signal }).then(([code, by]) => endedWith("crash", `${by ?? code}`)),
      hang,
    ]);
    finished.abort();
    if (outcome.type === "crash" || outcome.type === "hang") await stop();
    return outcome;
  }

  async function stop() {
    const last = child;
    child = undefined;
    if (!last || last.exitCode !== null || last.signalCode !== null) return;
    last.kill("SIGKILL");
    await once(last, "exit");
  }

  return { run, stop };
}

const endedWith = (type: Outcome["type"], code: string): Outcome => ({
  type,
  code,
  detail: "",
  slowestCall: "",
  cpuMs: 0,
  heldMegabytes: 0,
});
