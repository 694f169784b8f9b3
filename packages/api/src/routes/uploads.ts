import { ImageId } from "@balde/core/id.schema";
import * as Upload from "@balde/core/upload.schema";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { privateUncached } from "../cache-control.ts";
import type { Env } from "../http.ts";
import { idempotent } from "../idempotent.ts";
import { json, path } from "../validators.ts";
import * as Urls from "../urls.ts";

const IdPath = z.strictObject({ id: ImageId });

export const uploads = new Hono<Env>()
  .post("/", idempotent, json(Upload.Create), async (c) => {
    const created = await (await upload()).create(c.req.valid("json"));
    const location = Urls.withStage(c, `/v1/uploads/${created.image.id}`);
    return c.json(created, 201, { location, ...privateUncached });
  })
  .get("/:id", path(IdPath), async (c) =>
    c.json(await (await upload()).get(c.req.valid("param").id), 200, privateUncached),
  )
  .delete("/:id", path(IdPath), async (c) => {
    const { id } = c.req.valid("param");
    await (await openUpload()).abort(id);
    return c.json({ id, state: "deleted" as const }, 202, privateUncached);
  })
  .post("/:id/form", path(IdPath), async (c) => {
    const form = await (await openUpload()).renewForm(c.req.valid("param").id);
    return c.json(form, 200, privateUncached);
  })
  .post("/:id/parts", path(IdPath), json(Upload.SignParts), async (c) => {
    const { sign } = await openUpload();
    const parts = await sign({ ...c.req.valid("param"), ...c.req.valid("json") });
    return c.json(parts, 200, privateUncached);
  })
  .post("/:id/complete", path(IdPath), async (c) => {
    const state = await (await openUpload()).complete(c.req.valid("param").id);
    return c.json(state, 200, privateUncached);
  });

// on demand: most requests need nothing of it, and a cold start would wait for it
const upload = () => import("@balde/core/upload");
const openUpload = () => import("@balde/core/open-upload");
