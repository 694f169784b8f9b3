import { VisibleError } from "@balde/core/error";
import type { MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";

import { cors } from "./cors.ts";
import { type Env, notFound, onError } from "./http.ts";
import { operations } from "./routes/operations.ts";

/** Each call stands in the log with the one who made it. The gateway checked the signature; without one nothing runs here. */
const signed: MiddlewareHandler<Env> = async (c, next) => {
  const { requestId, identity } = c.env.event.requestContext;
  if (!identity.userArn) throw unsigned();
  console.info({ requestId, operator: identity.userArn, method: c.req.method, path: c.req.path });
  await next();
};

/** For the people who operate Balde, in a function of its own: it may do what no other may. */
export const admin = new Hono<Env>()
  .onError(onError)
  .notFound(notFound)
  .use(cors)
  .use(signed)
  .route("/admin/v1", operations);

const unsigned = () =>
  new VisibleError("forbidden", "operator.unsigned", "Sign the request with AWS credentials");
