import type { Context } from "hono";

import type { Env } from "./http.ts";

/** Our path as the client sees it: the gateway takes the stage off before we are called. */
export function within(c: Context<Env>, path: string) {
  const { path: inside, requestContext } = c.env.event;
  const outside = requestContext.path;
  return (outside.endsWith(inside) ? outside.slice(0, -inside.length) : "") + path;
}

/** `Link` to the next page: the same question with another cursor (RFC 8288). */
export function next(c: Context<Env>, cursor: string | null): Record<string, string> {
  if (!cursor) return {};
  const query = new URLSearchParams(c.req.query());
  query.set("cursor", cursor);
  return { link: `<${within(c, c.req.path)}?${query.toString()}>; rel="next"` };
}
