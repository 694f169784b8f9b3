import type { Context } from "hono";

import type { Env } from "./http.ts";

/** Our path as the client sees it: the gateway takes the stage off before we are called. */
export function within(c: Context<Env>, path: string) {
  const { path: inside, requestContext } = c.env.event;
  const outside = requestContext.path;
  return (outside.endsWith(inside) ? outside.slice(0, -inside.length) : "") + path;
}

/** Whom the client asked, with the port if there is one. The gateway answers to its own hosts only, so nobody can make one up. */
export const host = (c: Context<Env>) => c.req.header("host") ?? "";

/**
 * Our path as an address of its own, at the host that the client named. API Gateway speaks TLS only, on the port that
 * needs no number, and its events say so of every request: a host with a number is none of its, and speaks plain HTTP.
 */
export const absolute = (c: Context<Env>, path: string) =>
  `${/:\d+$/.test(host(c)) ? "http" : "https"}://${host(c)}${within(c, path)}`;

/** `Link` to the next page: the same question with another cursor (RFC 8288). */
export function next(c: Context<Env>, cursor: string | null): Record<string, string> {
  if (!cursor) return {};
  const query = new URLSearchParams(c.req.query());
  query.set("cursor", cursor);
  return { link: `<${within(c, c.req.path)}?${query.toString()}>; rel="next"` };
}
