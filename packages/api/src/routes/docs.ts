import * as Etag from "@balde/http/etag";
import type { Context } from "hono";
import { Hono } from "hono/tiny";

import * as Etags from "../etags.ts";
import type { Env } from "../http.ts";
import * as Urls from "../urls.ts";

/** The document changes only with a deployment. */
const cachedFiveMinutes = { "cache-control": "public, max-age=300" };

// both modules are loaded on first use, so that no other request waits for them
export const docs = new Hono<Env>()
  .get("/openapi.json", async (c) => {
    const { openapi } = await import("../openapi.ts");
    const text = JSON.stringify(openapi(Urls.withStage(c, "")));
    return respond(c, text, { "content-type": "application/json" });
  })
  .get("/docs", async (c) => {
    const { openapi } = await import("../openapi.ts");
    const { page, policy } = await import("../docs-page.ts");
    return respond(c, await page(openapi(Urls.withStage(c, ""))), {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    });
  });

function respond(c: Context<Env>, text: string, own: Record<string, string>) {
  // a 304 has the type, too: the gateway would write its own, and a cache may store it with the page
  const headers = { ...cachedFiveMinutes, etag: Etags.ofText(text), ...own };
  if (Etag.matches(headers.etag, c.req.header("if-none-match"))) return c.body(null, 304, headers);
  return c.body(text, 200, headers);
}
