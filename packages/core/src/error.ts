/** What kind of error it is. This is the complete list; the HTTP layer maps each kind to a status. */
export type Kind =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "gone"
  | "precondition_failed"
  | "precondition_required"
  | "too_large"
  | "unsupported"
  | "unprocessable"
  | "limited"
  | "unavailable";

/** One thing that is wrong with the input: where (a JSON pointer, "" for the whole input) and what is allowed. */
export type Issue = { pointer: string; detail: string };

type Options = {
  cause?: unknown;
  issues?: Issue[];
  retryAfterSeconds?: number;
  quota?: { used: number; limit: number; remaining: number };
  suggestion?: string | undefined;
};

/** An error that the client may see. Every other error is a bug: it is logged and answered as an internal error. */
export class VisibleError extends Error {
  override readonly name = "VisibleError";
  readonly kind: Kind;
  /** `noun.problem`. Clients compare it, so it never changes. */
  readonly code: string;
  readonly issues: Issue[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Of a quota that is reached. */
  readonly quota: Options["quota"];
  /** Of a name that is taken: one that is free. */
  readonly suggestion: string | undefined;

  constructor(kind: Kind, code: string, message: string, options: Options = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.issues = options.issues;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.quota = options.quota;
    this.suggestion = options.suggestion;
  }
}
