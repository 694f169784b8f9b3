import { type Issue, VisibleError } from "@balde/core/error";
import * as Problem from "@balde/http/problem";
import type { Context, ErrorHandler, NotFoundHandler } from "hono";

import { InvalidInputError, toParameterError, toPointerError } from "./validators.ts";
import type { Bindings } from "./rest-event.ts";

export type Env = { Bindings: Bindings };

export const onError: ErrorHandler<Env> = (error, c) => {
  if (!(error instanceof VisibleError)) return internal(error, c);
  if (error.retryAfterSeconds) c.header("retry-after", String(error.retryAfterSeconds));
  const toError: (issue: Issue) => Problem.InputError =
    c.req.method === "GET" ? toParameterError : toPointerError;
  const errors = error instanceof InvalidInputError ? error.errors : error.issues?.map(toError);
  return respond(c, Problem.create(error.kind, error, requestId(c), errors));
};

export const notFound: NotFoundHandler<Env> = (c) => {
  throw new VisibleError("not_found", "route.not_found", `No ${c.req.method} ${c.req.path} here`);
};

/** Logs a bug whole and tells the client only the request's id. */
function internal(error: Error, c: Context<Env>) {
  console.error({ requestId: requestId(c), method: c.req.method, path: c.req.path, error });
  return respond(c, Problem.internal(requestId(c)));
}

function respond(c: Context<Env>, problem: Problem.Problem) {
  c.header("cache-control", "no-store");
  c.header("content-type", Problem.contentType);
  return c.body(JSON.stringify(problem), problem.status as 400);
}

const requestId = (c: Context<Env>) => c.env.event.requestContext.requestId;
