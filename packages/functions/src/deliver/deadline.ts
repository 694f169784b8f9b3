import * as Limits from "@balde/imaging/limits";
import { Refusal } from "@balde/imaging/refusal";
import { setTimeout as sleep } from "node:timers/promises";

// A limit on time that really stops: nothing interrupts an encoder but the end of its process (docs/adr/0017-limit-on-time.md).

/** On `performance.now()`'s clock. */
export type Deadline = number;

/** libvips' own limit comes first, where it works: nothing has to end for it. */
const PATIENCE_MS = Limits.RENDER_SECONDS * 1000 + 2000;
/** What remains of the function's time for the answer to leave, through the gateway. */
const ANSWER_MS = 3000;
/** The runtime has taken the last byte of an answer when it is written; this is for it to pass that on. */
const LEAVING_MS = 100;

/** Works that nobody waits for any more, and that go on. */
const abandoned = new Set<Promise<unknown>>();

/** When a picture must be made, in a function that has this much time left. */
export const after = (remainingMs: number): Deadline =>
  performance.now() + Math.min(PATIENCE_MS, remainingMs - ANSWER_MS);

/** What the work comes to, or a refusal when it is not done by then. The work goes on; the process is to end, see `endIfBusy`. */
export async function within<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
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

/** Ends the process, as the kernel would, when its processor is busy with what nobody waits for. Call it when the answer has left and before the next event is asked for. */
export async function endIfBusy(): Promise<void> {
  if (abandoned.size === 0) return;
  await sleep(LEAVING_MS);
  if (abandoned.size === 0) return;
  console.error({ message: "the process ends, because a picture takes too long to make" });
  // `process.exit` waits for the threads of libuv, and so for the encoder
  process.kill(process.pid, "SIGKILL");
}

const tooComplex = () =>
  new Refusal(
    "unprocessable",
    "image.too_complex",
    "The picture takes longer to make than is allowed; ask for a smaller w, or for another format",
  );
