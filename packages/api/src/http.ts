import { type Issue, VisibleError } from "@balde/core/error";
import * as Unavailable from "@balde/core/unavailable";
import * as Problem from "@balde/http/problem";
import type { Context, ErrorHandler, MiddlewareHandler, NotFoundHandler } from "hono";

import { InvalidInputError, toParameterError, toPointerError } from "./validators.ts";
import type { Bindings } from "./rest-event.ts";

export type Env = { Bindings: Bindings };

export const onError: ErrorHandler<Env> = (error, c) => {
  if (error instanceof VisibleError) return visible(error, c);
  console.error({ requestId: requestId(c), method: c.req.method, path: c.req.path, error });
  const unavailable = Unavailable.fromError(error);
  return unavailable ? visible(unavailable, c) : respond(c, Problem.internal(requestId(c)));
};

function visible(error: VisibleError, c: Context<Env>) {
  if (error.retryAfterSeconds) c.header("retry-after", String(error.retryAfterSeconds));
  const toError: (issue: Issue) => Problem.InputError =
    c.req.method === "GET" ? toParameterError : toPointerError;
  const errors = error instanceof InvalidInputError ? error.errors : error.issues?.map(toError);
  return respond(c, Problem.create(error.kind, error, requestId(c), errors));
}

export const notFound: NotFoundHandler<Env> = (c) => {
  throw new VisibleError("not_found", "route.not_found", `No ${c.req.method} ${c.req.path} here`);
};

/** The time that is kept for the response. */
const RESPONSE_MS = 1_000;

/** Answers 503 when the function has hardly any time left, because a call of AWS was slow: Lambda would end it without a response. */
export const answerInTime: MiddlewareHandler<Env> = async (c, next) => {
  const { remainingMs } = c.env;
  if (remainingMs === undefined) return next();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Unavailable.create()), remainingMs - RESPONSE_MS);
  });
  try {
    return await Promise.race([next(), late]);
  } finally {
    clearTimeout(timer);
  }
};

function respond(c: Context<Env>, problem: Problem.Problem) {
  c.header("cache-control", "no-store");
  c.header("content-type", Problem.contentType);
  return c.body(JSON.stringify(problem), problem.status as 400);
}

const requestId = (c: Context<Env>) => c.env.event.requestContext.requestId;
