import * as Upload from "@balde/core/upload";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { personal } from "../cache-control.ts";
import type { Env } from "../http.ts";
import { idempotent } from "../idempotent.ts";
import { json, path } from "../validators.ts";
import * as Urls from "../urls.ts";

const One = z.strictObject({ id: Upload.Info.shape.id });

export const uploads = new Hono<Env>()
  .post("/", idempotent, json(Upload.Create), async (c) => {
    const created = await Upload.create(c.req.valid("json"));
    const location = Urls.within(c, `/v1/uploads/${created.image.id}`);
    return c.json(created, 201, { location, ...personal });
  })
  .get("/:id", path(One), async (c) =>
    c.json(await Upload.get(c.req.valid("param").id), 200, personal),
  );
