import * as Operation from "@balde/core/operation";
import { Hono } from "hono/tiny";

import { personal } from "../cache-control.ts";
import type { Env } from "../http.ts";
import { json, query } from "../input.ts";

export const operations = new Hono<Env>()
  .get("/state", query(Operation.Look), async (c) =>
    c.json(await Operation.look(c.req.valid("query")), 200, personal),
  )
  .post("/redrive", async (c) => c.json(await Operation.redrive(), 202, personal))
  .post("/reprocess", json(Operation.Reprocess), async (c) =>
    c.json(await Operation.reprocess(c.req.valid("json")), 202, personal),
  );
