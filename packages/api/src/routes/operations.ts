import * as Admin from "@balde/core/admin";
import { Hono } from "hono/tiny";

import { privateUncached } from "../cache-control.ts";
import type { Env } from "../http.ts";
import { json, query } from "../validators.ts";

export const operations = new Hono<Env>()
  .get("/state", query(Admin.GetStatus), async (c) =>
    c.json(await Admin.getStatus(c.req.valid("query")), 200, privateUncached),
  )
  .post("/redrive", async (c) => c.json(await Admin.redrive(), 202, privateUncached))
  .post("/reprocess", json(Admin.Reprocess), async (c) =>
    c.json(await Admin.reprocess(c.req.valid("json")), 202, privateUncached),
  );
