import type { MiddlewareHandler } from "hono";

/**
 * Adds CORS headers to every response, because the gateway adds none to a Lambda proxy integration
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html). The gateway answers preflights itself.
 */
export const cors: MiddlewareHandler = async (c, next) => {
  const allowed = (process.env.ORIGINS ?? "").split(",").map((origin) => origin.trim());
  const origin = c.req.header("origin");
  c.header("vary", "origin");
  if (allowed.includes("*")) c.header("access-control-allow-origin", "*");
  else if (origin && allowed.includes(origin)) c.header("access-control-allow-origin", origin);
  c.header("access-control-expose-headers", exposedHeaders);
  c.header("x-content-type-options", "nosniff");
  await next();
};

/** The response headers that a script of another origin may read, beside those that every script may. */
export const exposedHeaders =
  "ETag, Idempotency-Replayed, Link, Location, Retry-After, x-amzn-RequestId";
