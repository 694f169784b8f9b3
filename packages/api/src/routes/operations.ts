import * as Admin from "@balde/core/admin";
import { Hono } from "hono/tiny";

import { privateUncached } from "../cache-control.ts";
import type { Env } from "../http.ts";
import { json, path, query } from "../validators.ts";

export const operations = new Hono<Env>()
  .get("/state", query(Admin.GetStatus), async (c) =>
    c.json(await Admin.getStatus(c.req.valid("query")), 200, privateUncached),
  )
  .post("/redrive", async (c) => c.json(await Admin.redrive(), 202, privateUncached))
  .delete("/images/:imageId", path(Admin.TakeDown), async (c) => {
    const { imageId } = c.req.valid("param");
    await Admin.takeDown({ imageId });
    return c.json({ id: imageId, state: "deleted" as const }, 202, privateUncached);
  })
  .delete("/users/:userId", path(Admin.RemoveUser), async (c) => {
    const { userId } = c.req.valid("param");
    await Admin.removeUser({ userId });
    return c.json({ id: userId, state: "deleting" as const }, 202, privateUncached);
  })
  .post("/reprocess", json(Admin.Reprocess), async (c) =>
    c.json(await Admin.reprocess(c.req.valid("json")), 202, privateUncached),
  );
