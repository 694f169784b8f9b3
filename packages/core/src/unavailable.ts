import { VisibleError } from "./error.ts";

/** What AWS names errors that a later attempt may not meet, as errors of status 400. */
const THROTTLED =
  /Throttl|ThroughputExceeded|RequestLimit|TooManyRequests|SlowDown|RequestTimeout|TransactionInProgress|TransactionConflict|RequestConflict/;

/** The codes of node's network errors: https://nodejs.org/api/errors.html#common-system-errors */
const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$/;

/** A caller that comes back earlier meets the same failure. */
const RETRY_AFTER_SECONDS = 2;

/** The error `service.unavailable`: what the client asked for may succeed later. */
export const create = (cause?: unknown): VisibleError =>
  new VisibleError(
    "unavailable",
    "service.unavailable",
    "A service that this one needs is overloaded or does not respond; try again later",
    { cause, retryAfterSeconds: RETRY_AFTER_SECONDS },
  );

/**
 * The error `service.unavailable` if AWS throttled a call, failed or did not answer; undefined for every other error, which
 * is a bug. It knows the errors of aws-request.ts and of the SDK by what they have, so that neither is loaded here.
 */
export const fromError = (error: unknown): VisibleError | undefined =>
  error instanceof Error && isOfAws(error) ? create(error) : undefined;

type AwsFailure = Error & {
  code?: unknown;
  /** Of an AwsError. */
  status?: number;
  /** Of the SDK's errors. */
  $metadata?: { httpStatusCode?: number };
  /** Of an AwsError: the response, which has the reasons of a cancelled transaction. */
  body?: string;
};

function isOfAws(error: AwsFailure): boolean {
  const isFromAws = error.name === "AwsError" || error.$metadata !== undefined;
  const names = [error.name, error.code].filter((name) => typeof name === "string");
  if (!isFromAws) return names.some((name) => NETWORK.test(name)) || error.name === "TimeoutError";
  const status = error.status ?? error.$metadata?.httpStatusCode ?? 0;
  if (status >= 500 || status === 429) return true;
  // the SDK gives a network error the metadata of its attempts
  if (names.some((name) => THROTTLED.test(name) || NETWORK.test(name) || name === "TimeoutError"))
    return true;
  const reasons = [...(error.body ?? "").matchAll(/"Code":"(\w+)"/g)]
    .map(([, code]) => code!)
    .filter((code) => code !== "None");
  return reasons.length > 0 && reasons.every((code) => THROTTLED.test(code));
}
