import type { Problem } from "@balde/http/problem";

/**
 * What the API calls its failures. A newer API may know more of them, so a `switch` needs a default; a test compares this
 * list with the sources of the API.
 */
export type Code = (typeof codes)[number];
export const codes = [
  "actor.unauthenticated",
  "body.empty",
  "body.malformed",
  "body.not_json",
  "body.not_picture",
  "body.too_large",
  "cursor.invalid",
  "delivery.signature_expired",
  "delivery.signature_wrong",
  "idempotency.in_progress",
  "idempotency.invalid_key",
  "idempotency.other_request",
  "image.changed",
  "image.if_match_missing",
  "image.not_found",
  "image.not_ready",
  "image.not_yours",
  "image.unfinished",
  "input.invalid",
  "internal",
  "name.taken",
  "operator.unsigned",
  "preset.unknown",
  "route.not_found",
  "upload.not_found",
  "upload.too_large",
  "upload.unsupported_type",
] as const;

/** An answer of 400 or more, from the API, from the gateway before it or from the bucket. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: Code | (string & {});
  readonly status: number;
  readonly title: string;
  /** Quote it when you report the failure. Absent where the answer has none. */
  readonly requestId: string | undefined;
  readonly errors: NonNullable<Problem["errors"]>;
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Omit<Problem, "type" | "requestId"> & Extras) {
    super(problem.detail || problem.title);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.requestId = problem.requestId;
    this.errors = problem.errors ?? [];
    this.retryAfterSeconds = problem.retryAfterSeconds;
  }
}

type Extras = { requestId?: string | undefined; retryAfterSeconds?: number | undefined };

/** `fetch` that rejects with a ProblemError where fetch resolves with a failure. */
export function problemFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const answer = await fetch(input, init);
    if (answer.status < 400) return answer;
    throw await problemOf(answer);
  };
}

async function problemOf(answer: Response): Promise<ProblemError> {
  const text = await answer.text();
  const { status, headers } = answer;
  const requestId = headers.get("x-amzn-requestid") ?? undefined;
  const retryAfterSeconds = Number(headers.get("retry-after")) || undefined;
  const known = parsed(text);
  if (known?.code) return new ProblemError({ requestId, retryAfterSeconds, ...known, status });
  const title = answer.statusText || `HTTP ${status}`;
  const detail = known?.message ?? (text.slice(0, 200) || title);
  return new ProblemError({ code: unspoken(status), status, title, detail, requestId });
}

type Foreign = Problem & { message?: string };

function parsed(
  text: string,
): (Partial<Foreign> & Pick<Foreign, "code" | "title" | "detail">) | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Foreign) : undefined;
  } catch {
    return undefined;
  }
}

/** The gateway's own answer to a body of more than 10 MB is text and cannot be changed; proxies add theirs. */
const unspoken = (status: number): Code | `http.${number}` =>
  status === 413 ? "body.too_large" : `http.${status}`;
