import type { Kind } from "@balde/core/error";

/** Status and title of each kind of error. A new kind does not compile until it has a line here. */
export const responses = {
  invalid: { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "Not signed in" },
  forbidden: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  conflict: { status: 409, title: "Conflict with the current state" },
  gone: { status: 410, title: "Gone" },
  precondition_failed: { status: 412, title: "Changed since it was read" },
  too_large: { status: 413, title: "Too large" },
  unsupported: { status: 415, title: "Unsupported content type" },
  unprocessable: { status: 422, title: "Cannot be processed" },
  precondition_required: { status: 428, title: "If-Match is missing" },
  limited: { status: 429, title: "Too many requests" },
  unavailable: { status: 503, title: "Not available now" },
} as const satisfies Record<Kind, { status: number; title: string }>;

/** Where an input is wrong: a JSON pointer into the body, or the name of a parameter. */
export type InputError = { detail: string } & (
  | { pointer: string }
  | { parameter: string; value?: string }
);

/** The body of every failure, the gateway's own included: https://www.rfc-editor.org/rfc/rfc9457 */
export type Problem = {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  /** `noun.problem`, stable: programs compare it. */
  code: string;
  requestId: string;
  errors?: InputError[];
  /** Of a quota that is reached: how much is used, how much there is, and how much of it remains. */
  quota?: { used: number; limit: number; remaining: number };
  /** Of a name that is taken: one that is free. */
  suggestion?: string;
};

export const contentType = "application/problem+json";

/** How many errors a problem lists. With the limits below, no problem has more than a few kilobytes, whatever the input was. */
const MAX_ERRORS = 10;
/** In characters. */
const MAX_DETAIL = 2_000;
const MAX_ERROR_DETAIL = 500;
const MAX_PLACE = 200;
const MAX_VALUE = 100;

/**
 * The problem of an error that the client may see. `errors` is left out when it is empty. Everything in it that may repeat
 * input is shortened here, so a small request never has a large response.
 */
export function create(
  kind: Kind,
  {
    code,
    message,
    quota,
    suggestion,
  }: {
    code: string;
    message: string;
    quota?: Problem["quota"] | undefined;
    suggestion?: string | undefined;
  },
  requestId: string,
  errors: InputError[] = [],
): Problem {
  const hidden = errors.length - MAX_ERRORS;
  const note = hidden > 0 ? ` (${hidden} more errors are not listed)` : "";
  return {
    type: "about:blank",
    ...responses[kind],
    detail: shortened(message, MAX_DETAIL) + note,
    code,
    requestId,
    ...(errors.length > 0 && { errors: errors.slice(0, MAX_ERRORS).map(shortenedError) }),
    ...(quota && { quota }),
    ...(suggestion !== undefined && { suggestion }),
  };
}

const shortenedError = (error: InputError): InputError => ({
  ...("pointer" in error
    ? { pointer: shortened(error.pointer, MAX_PLACE) }
    : {
        parameter: shortened(error.parameter, MAX_PLACE),
        ...(error.value !== undefined && { value: shortened(error.value, MAX_VALUE) }),
      }),
  detail: shortened(error.detail, MAX_ERROR_DETAIL),
});

/** The text, or its start and `…`. Half of a surrogate pair becomes U+FFFD, because it has no UTF-8. */
const shortened = (text: string, maxCharacters: number) =>
  (text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text).toWellFormed();

/** The problem of a bug: 500, and nothing of the error except the request's id. The caller logs the error. */
export const internal = (requestId: string): Problem => ({
  type: "about:blank",
  title: "Internal error",
  status: 500,
  detail: "Something went wrong on our side. Quote the requestId when you report it.",
  code: "internal",
  requestId,
});

/** The problem of a range that begins behind the last byte; `size` in bytes goes into `Content-Range` too. */
export const rangeNotSatisfiable = (size: number, requestId: string): Problem => ({
  type: "about:blank",
  title: "Range not satisfiable",
  status: 416,
  detail: `The range starts after the last byte; the image has ${size} bytes`,
  code: "delivery.bad_range",
  requestId,
});
