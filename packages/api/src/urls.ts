import type { Context } from "hono";

import type { Env } from "./http.ts";

/** The path as the client sees it: with the stage, which the gateway removes before it invokes the function. */
export function withStage(c: Context<Env>, path: string) {
  const { path: inside, requestContext } = c.env.event;
  const outside = requestContext.path;
  return (outside.endsWith(inside) ? outside.slice(0, -inside.length) : "") + path;
}

/** The host that the client addressed, with its port if it has one. A client cannot invent it: the gateway accepts its own hosts only. */
export const host = (c: Context<Env>) => c.req.header("host") ?? "";

/**
 * The path as a URL at the host that the client addressed. API Gateway accepts HTTPS on the default port only, so a host
 * with a port number is the local cloud, which uses HTTP.
 */
export const absoluteUrl = (c: Context<Env>, path: string) =>
  `${/:\d+$/.test(host(c)) ? "http" : "https"}://${host(c)}${withStage(c, path)}`;

/** A `Link` header with the next page (RFC 8288): the same query with the cursor; no header on the last page. */
export function nextPageHeaders(c: Context<Env>, cursor: string | null): Record<string, string> {
  if (!cursor) return {};
  const query = new URLSearchParams(c.req.query());
  query.set("cursor", cursor);
  return { link: `<${withStage(c, c.req.path)}?${query.toString()}>; rel="next"` };
}
