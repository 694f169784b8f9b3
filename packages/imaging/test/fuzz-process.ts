import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import type { Trial } from "./fuzz-process.child.ts";

/** What came of some bytes. Everything but `picture` and `refusal` is a bug of ours. */
export type Outcome = {
  kind: "picture" | "refusal" | "failure" | "crash" | "hang";
  /** The refusal's code, or what happened instead. */
  code: string;
  detail: string;
  /** The door that took longest: `identify`, `prepare` or the request that was rendered. */
  slowest: string;
  /** Its milliseconds of processor time, on all threads: what it would take on a machine with nothing else to do. */
  cpu: number;
  /** What the process held at most, beyond what it held before. */
  megabytes: number;
};

/** Of real time, for all doors together: more than any may take on a busy machine, so that what hangs is seen to hang. */
const PATIENCE_MS = 100_000;

/** Puts bytes through both doors, arrival and delivery, in a process of its own: it may die of them, and the next bytes get a new one. `isQuick` tries one delivery instead of all kinds. */
export function createOrdeal() {
  let child: ChildProcess | undefined;

  async function undergo(bytes: Buffer, isQuick = false): Promise<Outcome> {
    const own = (child ??= fork(join(import.meta.dirname, "ordeal.child.ts"), {
      serialization: "advanced",
      // words of libraries about damaged files
      stdio: ["ignore", "inherit", "ignore", "ipc"],
    }));
    const died = new AbortController();
    const { signal } = died;
    const timer = new Promise<Outcome>((resolve) => {
      const timeout = setTimeout(
        () => resolve(ended("hang", `after ${PATIENCE_MS} ms`)),
        PATIENCE_MS,
      );
      signal.addEventListener("abort", () => clearTimeout(timeout));
    });
    const ended = (kind: Outcome["kind"], code: string): Outcome => ({
      kind,
      code,
      detail: "",
      slowest: "",
      cpu: 0,
      megabytes: 0,
    });
    own.send({ bytes, isQuick } satisfies Trial);
    const outcome = await Promise.race([
      once(own, "message", { signal }).then(([told]) => told as Outcome),
      once(own, "exit", { signal }).then(([code, by]) => ended("crash", `${by ?? code}`)),
      timer,
    ]);
    died.abort();
    if (outcome.kind === "crash" || outcome.kind === "hang") await stop();
    return outcome;
  }

  async function stop() {
    const last = child;
    child = undefined;
    if (!last || last.exitCode !== null || last.signalCode !== null) return;
    last.kill("SIGKILL");
    await once(last, "exit");
  }

  return { undergo, stop };
}
