import { Hono } from "hono/tiny";

import type { Env } from "../http.ts";
import * as Link from "../link.ts";

/** It changes with a deployment only. */
const kept = { "cache-control": "public, max-age=300" };

// both are read in when somebody asks: no other request pays for them
export const docs = new Hono<Env>()
  .get("/openapi.json", async (c) => {
    const { openapi } = await import("../openapi.ts");
    return c.json(openapi(Link.within(c, "")), 200, kept);
  })
  .get("/docs", async (c) => {
    const { openapi } = await import("../openapi.ts");
    const { page, policy } = await import("../docs-page.ts");
    return c.body(await page(openapi(Link.within(c, ""))), 200, {
      ...kept,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    });
  });
