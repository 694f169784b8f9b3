import type { Problem } from "@balde/http/problem";

/**
 * The error codes of the API. A newer API may have more, so a `switch` needs a default; a test compares this list with the
 * sources of the API.
 */
export type Code = (typeof codes)[number];
export const codes = [
  "account.deleting",
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
  "image.not_a_picture",
  "image.not_found",
  "image.not_ready",
  "image.not_yours",
  "image.unfinished",
  "input.invalid",
  "internal",
  "name.taken",
  "operator.unsigned",
  "preset.unknown",
  "quota.bytes",
  "quota.images",
  "quota.open_uploads",
  "quota.reserved_names",
  "quota.signed_urls",
  "route.not_found",
  "service.unavailable",
  "upload.gone",
  "upload.incomplete",
  "upload.not_found",
  "upload.other_method",
  "upload.received",
  "upload.too_large",
  "upload.unsupported_type",
] as const;

/** A response with status 400 or more, from the API, its gateway, the bucket or Cognito. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: Code | (string & {});
  readonly status: number;
  readonly title: string;
  /** Quote it when you report the error. Undefined if the response has none. */
  readonly requestId: string | undefined;
  readonly errors: NonNullable<Problem["errors"]>;
  readonly retryAfterSeconds: number | undefined;
  /** Of a quota that is reached (`quota.…`). */
  readonly quota: Problem["quota"];
  /** Of a name that is taken (`name.taken`): one that is free. */
  readonly suggestion: string | undefined;

  constructor(problem: Omit<Problem, "type" | "requestId"> & Extras) {
    super(problem.detail || problem.title);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.requestId = problem.requestId;
    this.errors = problem.errors ?? [];
    this.retryAfterSeconds = problem.retryAfterSeconds;
    this.quota = problem.quota;
    this.suggestion = problem.suggestion;
  }
}

type Extras = { requestId?: string | undefined; retryAfterSeconds?: number | undefined };

/** Returns a `fetch` that rejects with a ProblemError for every response with status 400 or more. */
export function problemFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.status < 400) return response;
    throw await readProblem(response);
  };
}

async function readProblem(response: Response): Promise<ProblemError> {
  const text = await response.text();
  const { status, headers } = response;
  const requestId = headers.get("x-amzn-requestid") ?? undefined;
  const retryAfterSeconds = Number(headers.get("retry-after")) || undefined;
  const known = parseJson(text);
  if (known?.code) return new ProblemError({ requestId, retryAfterSeconds, ...known, status });
  const title = response.statusText || `HTTP ${status}`;
  const detail = known?.message ?? (text.slice(0, 200) || title);
  return new ProblemError({ code: codeOfStatus(status), status, title, detail, requestId });
}

type UnknownProblem = Problem & { message?: string };

function parseJson(
  text: string,
): (Partial<UnknownProblem> & Pick<UnknownProblem, "code" | "title" | "detail">) | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as UnknownProblem) : undefined;
  } catch {
    return undefined;
  }
}

/** A code for a response without one: the gateway's 413 is plain text and cannot be changed, and proxies send their own. */
const codeOfStatus = (status: number): Code | `http.${number}` =>
  status === 413 ? "body.too_large" : `http.${status}`;
