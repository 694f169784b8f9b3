import { VisibleError } from "@balde/core/error";
import type { MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";

import { cors } from "./cors.ts";
import { type Env, answerInTime, notFound, onError } from "./http.ts";
import { operations } from "./routes/operations.ts";

/** Rejects a request without an AWS signature, which the gateway has checked, and logs each call with its signer. */
const requireSignature: MiddlewareHandler<Env> = async (c, next) => {
  const { requestId, identity } = c.env.event.requestContext;
  if (!identity.userArn) throw unsignedError();
  console.info({ requestId, operator: identity.userArn, method: c.req.method, path: c.req.path });
  await next();
};

/** The API for operators, in a function of its own because its permissions are wider than the others'. */
export const admin = new Hono<Env>()
  .onError(onError)
  .notFound(notFound)
  .use(cors)
  .use(answerInTime)
  .use(requireSignature)
  .route("/admin/v1", operations);

const unsignedError = () =>
  new VisibleError(
    "forbidden",
    "operator.unsigned",
    "The request is not signed; sign it with AWS credentials",
  );
