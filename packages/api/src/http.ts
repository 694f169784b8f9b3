import { type Issue, type Kind, VisibleError } from "@balde/core/error";
import type { Context, ErrorHandler, NotFoundHandler } from "hono";

import { Misused, type Where, parameter, pointer } from "./validators.ts";
import type { Bindings } from "./rest-event.ts";

export type Env = { Bindings: Bindings };

/** Every failure that this API answers, the gateway's own included, has this shape (RFC 9457). */
export type Problem = {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  /** `noun.problem`, stable: what programs compare. */
  code: string;
  requestId: string;
  errors?: Where[];
};

const meanings = {
  invalid: [400, "The request is not valid"],
  unauthenticated: [401, "Nobody is signed in"],
  forbidden: [403, "Not allowed"],
  not_found: [404, "Not found"],
  conflict: [409, "In conflict with what is there"],
  gone: [410, "Gone"],
  precondition_failed: [412, "Changed since it was read"],
  too_large: [413, "Too large"],
  unsupported: [415, "Unsupported content type"],
  unprocessable: [422, "Understood, but impossible"],
  precondition_required: [428, "If-Match is missing"],
  limited: [429, "Too many requests"],
  unavailable: [503, "Not available now"],
} as const satisfies Record<Kind, readonly [number, string]>;

export const onError: ErrorHandler<Env> = (error, c) => {
  if (!(error instanceof VisibleError)) return internal(error, c);
  const [status, title] = meanings[error.kind];
  if (error.retryAfterSeconds) c.header("retry-after", String(error.retryAfterSeconds));
  const where: (issue: Issue) => Where = c.req.method === "GET" ? parameter : pointer;
  const errors = error instanceof Misused ? error.where : error.issues?.map(where);
  return problem(c, { title, status, detail: error.message, code: error.code, errors });
};

export const notFound: NotFoundHandler<Env> = (c) => {
  throw new VisibleError("not_found", "route.not_found", `No ${c.req.method} ${c.req.path} here`);
};

/** A bug of ours: all of it goes into the log, nothing but the request's id to the outside. */
function internal(error: Error, c: Context<Env>) {
  console.error({ requestId: requestId(c), method: c.req.method, path: c.req.path, error });
  const detail = "Something went wrong on our side. Quote the requestId when you report it.";
  return problem(c, { title: "Internal error", status: 500, detail, code: "internal" });
}

function problem(c: Context<Env>, { errors, ...rest }: Omit<Problem, "type" | "requestId">) {
  const body: Problem = { type: "about:blank", ...rest, requestId: requestId(c) };
  c.header("cache-control", "no-store");
  c.header("content-type", "application/problem+json");
  return c.body(JSON.stringify(errors?.length ? { ...body, errors } : body), rest.status as 400);
}

const requestId = (c: Context<Env>) => c.env.event.requestContext.requestId;
