import * as Upload from "@balde/core/upload";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { privateUncached } from "../cache-control.ts";
import type { Env } from "../http.ts";
import { idempotent } from "../idempotent.ts";
import { json, path } from "../validators.ts";
import * as Urls from "../urls.ts";

const IdPath = z.strictObject({ id: Upload.Info.shape.id });

export const uploads = new Hono<Env>()
  .post("/", idempotent, json(Upload.Create), async (c) => {
    const created = await Upload.create(c.req.valid("json"));
    const location = Urls.withStage(c, `/v1/uploads/${created.image.id}`);
    return c.json(created, 201, { location, ...privateUncached });
  })
  .get("/:id", path(IdPath), async (c) =>
    c.json(await Upload.get(c.req.valid("param").id), 200, privateUncached),
  );
