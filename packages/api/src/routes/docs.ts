import * as Etag from "@balde/http/etag";
import type { Context } from "hono";
import { Hono } from "hono/tiny";

import * as Etags from "../etags.ts";
import type { Env } from "../http.ts";
import * as Urls from "../urls.ts";

/** It changes with a deployment only. */
const kept = { "cache-control": "public, max-age=300" };

// both are read in when somebody asks: no other request pays for them
export const docs = new Hono<Env>()
  .get("/openapi.json", async (c) => {
    const { openapi } = await import("../openapi.ts");
    const text = JSON.stringify(openapi(Urls.within(c, "")));
    return answer(c, text, { "content-type": "application/json" });
  })
  .get("/docs", async (c) => {
    const { openapi } = await import("../openapi.ts");
    const { page, policy } = await import("../docs-page.ts");
    return answer(c, await page(openapi(Urls.within(c, ""))), {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    });
  });

function answer(c: Context<Env>, text: string, own: Record<string, string>) {
  const headers = { ...kept, etag: Etags.ofText(text) };
  if (Etag.matches(headers.etag, c.req.header("if-none-match"))) return c.body(null, 304, headers);
  return c.body(text, 200, { ...headers, ...own });
}
