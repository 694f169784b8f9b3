import { ProblemError } from "./problem.ts";

export type RetryOptions = {
  /** The longest pause before the first retry, in milliseconds; each next one is twice as long, up to 20 seconds. Default 500. */
  retryDelayMs?: number;
  signal?: AbortSignal | undefined;
  /** Whether the same work may succeed a moment later. */
  isTemporary?: (error: unknown) => boolean;
};

/** Repeats the work after errors that may be temporary, and after it was paused. */
export type Attempt = <Result>(work: (signal: AbortSignal) => Promise<Result>) => Promise<Result>;

const RETRIES = 8;
const MAX_DELAY_MS = 20_000;

/**
 * Runs `work` until it succeeds: after an error that may be temporary again, nine times in all, with growing random pauses.
 * While the browser is offline it waits for the network, which counts as no attempt.
 * @throws the last error, or the signal's reason
 */
export async function withRetries<Result>(
  work: () => Promise<Result>,
  { retryDelayMs = 500, signal, isTemporary = isTemporaryError }: RetryOptions = {},
): Promise<Result> {
  for (let retries = 0; ;) {
    signal?.throwIfAborted();
    await untilOnline(signal);
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTemporary(error)) throw error;
      if (isOffline()) continue;
      if (retries === RETRIES) throw error;
      await sleep(pauseAfter(error, retryDelayMs, retries), signal);
      retries++;
    }
  }
}

/** Whether the same request may succeed a moment later: no response, an overloaded or broken server, or too many requests. */
function isTemporaryError(error: unknown): boolean {
  // fetch and XMLHttpRequest: there was no response
  if (!(error instanceof ProblemError)) return error instanceof TypeError;
  const { status, code, retryAfterSeconds = 0 } = error;
  if (retryAfterSeconds * 1000 > MAX_DELAY_MS) return false;
  return (
    status >= 500 ||
    (status === 429 && !code.startsWith("quota.")) ||
    status === 408 ||
    // the bucket did not get the whole body, or got another one
    ["storage.RequestTimeout", "storage.IncompleteBody", "storage.BadDigest"].includes(code) ||
    code === "idempotency.in_progress"
  );
}

function pauseAfter(error: unknown, retryDelayMs: number, retries: number): number {
  const required = error instanceof ProblemError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  // random, so that many clients do not come back at the same moment: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
  const longest = Math.min(MAX_DELAY_MS, retryDelayMs * 2 ** retries);
  return required + longest * (0.5 + Math.random() / 2);
}

/** Resolves after so many milliseconds. @throws the signal's reason */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

// of a browser; Node has neither
type Page = {
  navigator?: { onLine?: boolean };
  addEventListener?: (type: "online", listener: () => void, options: object) => void;
};
const page = globalThis as Page;

const isOffline = () => page.navigator?.onLine === false && page.addEventListener !== undefined;

async function untilOnline(signal?: AbortSignal): Promise<void> {
  if (!isOffline()) return;
  await new Promise<void>((resolve, reject) => {
    const done = new AbortController();
    page.addEventListener!("online", () => (done.abort(), resolve()), { signal: done.signal });
    signal?.addEventListener("abort", () => (done.abort(), reject(signal.reason)), {
      signal: done.signal,
    });
  });
}
