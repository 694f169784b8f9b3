import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { Prepared } from "./prepare.ts";
import { Refusal } from "./refusal.ts";
import type { Job, JobResult } from "./worker-process.child.ts";

// Untrusted images are decoded in a process of its own: decoders are native code, only the end of their process interrupts
// them, and a crash ends only that process. The process is kept for the next image.

export type Limit = { milliseconds: number };

let child: ChildProcess | undefined;
let lastJob: Promise<unknown> = Promise.resolve();

/**
 * Resolves if the first bytes of an image of `size` bytes give no reason to refuse it.
 *
 * @throws Refusal as `identify` does, where the first bytes are enough to be certain
 * @throws image.too_complex after the limit
 */
export const precheck = (head: Buffer, { size, ...limit }: Limit & { size: number }) =>
  enqueue({ kind: "precheck", bytes: head, size }, limit) as Promise<void>;

/**
 * The result of `prepare`. After the limit the process is killed, which frees the processor at once.
 *
 * @throws Refusal as `prepare` does
 * @throws image.too_complex after the limit, and if the image crashes the process twice
 */
export const prepare = (bytes: Buffer, { namedCopy, ...limit }: Limit & { namedCopy: boolean }) =>
  enqueue({ kind: "prepare", bytes, namedCopy }, limit) as Promise<Prepared>;

/** Runs one job after the other, because each may hold a whole decoded image in memory. */
function enqueue(job: Job, limit: Limit): Promise<unknown> {
  const result = lastJob.then(() => runJob(job, limit));
  lastJob = result.catch(() => {});
  return result;
}

async function runJob(job: Job, limit: Limit, isRetry = false): Promise<unknown> {
  const startedAt = performance.now();
  const worker = await startedChild();
  const remainingMs = limit.milliseconds - (performance.now() - startedAt);
  const outcome = await waitForResult(worker, job, remainingMs);
  switch (outcome.type) {
    case "value":
      return outcome.value;
    case "refusal":
      throw new Refusal(outcome.kind, outcome.code, outcome.detail);
    case "error":
      throw new Error(outcome.message);
    case "exit":
      if (isStopSignal(outcome.reason))
        throw new Error(`The process that decodes images was stopped (${outcome.reason})`);
      // an earlier image may have damaged the process
      if (!isRetry) return runJob(job, limit, true);
      throw tooComplex(`ended the process that decoded it, twice (${outcome.reason})`);
    case "timeout":
      throw tooComplex(
        `takes longer than ${Math.round(limit.milliseconds / 1000)} seconds to decode`,
      );
  }
}

type Outcome = JobResult | { type: "exit"; reason: string } | { type: "timeout" };

async function waitForResult(worker: ChildProcess, job: Job, milliseconds: number) {
  const finished = new AbortController();
  const { signal } = finished;
  const outcomes: Promise<Outcome>[] = [
    once(worker, "message", { signal }).then(([result]) => result as JobResult),
    once(worker, "exit", { signal }).then(([code, by]) => ({
      type: "exit",
      reason: `${by ?? code}`,
    })),
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ type: "timeout" }), Math.max(0, milliseconds));
      signal.addEventListener("abort", () => clearTimeout(timer));
    }),
  ];
  // a process that ended while it had nothing to do is noticed only now
  outcomes.push(
    new Promise((resolve) => {
      worker.send(job, (error) => {
        if (error) resolve({ type: "exit", reason: error.message });
      });
    }),
  );
  try {
    const outcome = await Promise.race(outcomes);
    if (outcome.type === "timeout" || outcome.type === "exit") await kill(worker);
    return outcome;
  } finally {
    finished.abort();
    for (const other of outcomes) other.catch(() => {});
  }
}

async function startedChild(): Promise<ChildProcess> {
  if (child?.connected) return child;
  // the file gives its own URL, because a bundle renames it
  const { file } = await import("./worker-process.child.ts");
  const started = fork(fileURLToPath(file), {
    serialization: "advanced",
    env: decoderEnvironment(),
    // an option such as `--env-file` would bring variables back
    execArgv: [],
  });
  started.once("exit", () => {
    if (child === started) child = undefined;
  });
  // does not keep the parent running; the child ends when the IPC channel closes
  started.unref();
  started.channel?.unref();
  child = started;
  return started;
}

/** Variables that node, sharp and its fonts may need to start. All others stay with the parent, above all the credentials of the function's role. */
const NEEDED = ["PATH", "LD_LIBRARY_PATH", "NODE_PATH", "TZ", "FONTCONFIG_PATH", "FONTCONFIG_FILE"];

/** What this does not prevent is said in docs/adr/0028-decoder-without-credentials.md. */
const decoderEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => NEEDED.includes(name)));

/** SIGKILL runs no handler and waits for no thread, as `process.exit` would. */
async function kill(worker: ChildProcess) {
  if (child === worker) child = undefined;
  worker.kill("SIGKILL");
  if (worker.exitCode === null && worker.signalCode === null) await once(worker, "exit");
}

/** A signal that stops the whole program is not the image's fault. */
const isStopSignal = (reason: string) => ["SIGTERM", "SIGINT", "SIGHUP"].includes(reason);

const tooComplex = (what: string) =>
  new Refusal("unprocessable", "image.too_complex", `The image ${what}`);
