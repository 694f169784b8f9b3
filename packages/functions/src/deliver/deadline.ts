import * as Limits from "@balde/imaging/limits";
import { Refusal } from "@balde/imaging/refusal";
import { setTimeout as sleep } from "node:timers/promises";

// A time limit that stops the work: only the end of its process interrupts an encoder (docs/adr/0017-limit-on-time.md).

/** In milliseconds, on the clock of `performance.now()`. */
export type Deadline = number;

/** libvips' own limit ends first, where it works: then the process can go on. */
const MAX_RENDER_MS = Limits.RENDER_SECONDS * 1000 + 2000;
/** The part of the function's time that is kept for the response, through the gateway. */
const RESPONSE_MS = 3000;
/** When the last byte is written, the runtime has taken it; this is the time that it needs to send it. */
const FLUSH_MS = 100;

/** Renders that were given up at their deadline and still run. */
const abandoned = new Set<Promise<unknown>>();

/** When an image must be rendered, in a function that has this many milliseconds left. */
export const fromRemaining = (remainingMs: number): Deadline =>
  performance.now() + Math.min(MAX_RENDER_MS, remainingMs - RESPONSE_MS);

/** The time until the deadline, as the limit of the worker process. */
export const limit = (deadline: Deadline): { milliseconds: number } => ({
  milliseconds: Math.max(0, deadline - performance.now()),
});

/** A signal that is aborted at the deadline, with a `TimeoutError`. */
export const signal = (deadline: Deadline): AbortSignal =>
  AbortSignal.timeout(Math.floor(limit(deadline).milliseconds));

/**
 * The result of the work. Work that is given up goes on until `endProcessIfBusy` ends the process.
 *
 * @throws image.too_complex at the deadline
 */
export async function before<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  const isLate = Symbol("late");
  const done = new AbortController();
  const late = sleep(Math.max(0, deadline - performance.now()), isLate, { signal: done.signal });
  try {
    const first = await Promise.race([work, late]);
    if (first !== isLate) return first as T;
  } finally {
    done.abort();
    late.catch(() => {});
  }
  abandoned.add(work);
  const end = () => abandoned.delete(work);
  work.then(end, end);
  throw tooComplex();
}

/** Ends the process with SIGKILL if a render that was given up still runs. To be called when the response was sent, before the next event is asked for. */
export async function endProcessIfBusy(): Promise<void> {
  if (abandoned.size === 0) return;
  await sleep(FLUSH_MS);
  if (abandoned.size === 0) return;
  console.error({ message: "The process ends because a render did not stop at its deadline" });
  // `process.exit` would wait for libuv's threads, and so for the encoder
  process.kill(process.pid, "SIGKILL");
}

const tooComplex = () =>
  new Refusal(
    "unprocessable",
    "image.too_complex",
    "The image takes longer to render than is allowed; ask for a smaller w or h, or for another format",
  );
