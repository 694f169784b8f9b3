import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { ImageBytes } from "./image-bytes.ts";
import type { Plan } from "./plan.ts";
import type { Prepared } from "./prepare.ts";
import { Refusal } from "./refusal.ts";
import type { Rendered } from "./render.ts";
import type { Job, JobResult } from "./worker-process.child.ts";

// Untrusted images are decoded in a process of its own: decoders are native code, only the end of their process interrupts
// them, and a crash ends only that process. The process is started by the first image, and kept for the next ones. An image
// that is large is passed as a file.

/** The time for an image, from the call on. */
export type Limit = { milliseconds: number };

/** Other images took the time that this one had. It may succeed when it is tried again. */
export class BusyError extends Error {
  override name = "BusyError";
}

let child: ChildProcess | undefined;
let lastJob: Promise<unknown> = Promise.resolve();

/**
 * Resolves if the first bytes of an image of `size` bytes give no reason to refuse it.
 *
 * @throws Refusal as `identify` does, where the first bytes are enough to be certain
 * @throws image.too_complex after the limit
 */
export const precheck = (head: Buffer, { size, ...limit }: Limit & { size: number }) =>
  enqueue({ kind: "precheck", image: head, size }, limit) as Promise<void>;

/**
 * The result of `prepare`. After the limit the process is killed, which frees the processor at once.
 *
 * @throws Refusal as `prepare` does
 * @throws image.too_complex after the limit, and if the image crashes the process twice
 */
export const prepare = (
  image: ImageBytes,
  { namedCopy, ...limit }: Limit & { namedCopy: boolean },
) => enqueue({ kind: "prepare", image, namedCopy }, limit) as Promise<Prepared>;

/**
 * The result of `render` from an original.
 *
 * @throws Refusal as `render` does
 * @throws image.too_complex after the limit, and if the image crashes the process twice
 */
export const render = (image: ImageBytes, plan: Plan, limit: Limit) =>
  enqueue({ kind: "render", image, plan }, limit) as Promise<Rendered>;

/**
 * Does what `renderInto` does, from an original. After a crash the file is written from its beginning again.
 *
 * @throws as `render` does
 */
export const renderInto = (file: string, image: ImageBytes, plan: Plan, limit: Limit) =>
  enqueue({ kind: "renderInto", file, image, plan }, limit) as Promise<void>;

/** Starts the process if it does not run, so that the next image need not wait for it. */
export const start = async (): Promise<void> => void (await startedChild());

/** Runs one job after the other, because each may hold a whole decoded image in memory. */
function enqueue(job: Job, { milliseconds }: Limit): Promise<unknown> {
  const calledAt = performance.now();
  const result = lastJob.then(async () => {
    const waitedMs = performance.now() - calledAt;
    try {
      return await runJob(job, calledAt + milliseconds);
    } catch (error) {
      // the time was not the image's own
      if (error instanceof TimeoutError && waitedMs > milliseconds / 2)
        throw new BusyError("Other images took the time of this one", { cause: error });
      throw error instanceof TimeoutError ? tooSlow(job, milliseconds) : error;
    }
  });
  lastJob = result.catch(() => {});
  return result;
}

class TimeoutError extends Error {}

async function runJob(job: Job, deadline: number, isRetry = false): Promise<unknown> {
  const worker = await startedChild();
  const outcome = await waitForResult(worker, job, deadline - performance.now());
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
      if (!isRetry) return runJob(job, deadline, true);
      throw tooComplex(`ended the process that decoded it, twice (${outcome.reason})`);
    case "timeout":
      throw new TimeoutError();
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
  // started by another call meanwhile
  if (child?.connected) return child;
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
const NEEDED = [
  "PATH",
  "LD_LIBRARY_PATH",
  "NODE_PATH",
  "TZ",
  "FONTCONFIG_PATH",
  "FONTCONFIG_FILE",
  "MALLOC_ARENA_MAX",
  // where libvips decodes what cannot be read row by row
  "TMPDIR",
];

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

const tooSlow = (job: Job, milliseconds: number) =>
  tooComplex(
    job.kind === "precheck" || job.kind === "prepare"
      ? `takes longer than ${Math.round(milliseconds / 1000)} seconds to decode`
      : "takes longer to render than is allowed; ask for a smaller w or h, or for another format",
  );

const tooComplex = (what: string) =>
  new Refusal("unprocessable", "image.too_complex", `The image ${what}`);
