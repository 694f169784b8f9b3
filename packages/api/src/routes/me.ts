import * as Actor from "@balde/core/actor";
import * as Image from "@balde/core/image";
import * as Like from "@balde/core/like";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { personal } from "../cache-control.ts";
import * as Etags from "../etags.ts";
import type { Env } from "../http.ts";
import { list, path, query } from "../validators.ts";
import * as Urls from "../urls.ts";
import { Page } from "../page.ts";

const One = z.strictObject({ id: Image.Info.shape.id });
const Liked = z.extend(Page, {
  ids: z.optional(list(Like.ListMine.shape.ids.def.innerType)),
});

// what is personal has paths of its own, so that every other GET is the same for everyone
export const me = new Hono<Env>()
  .get("/", (c) => {
    const { id, name, email } = Actor.requireUser();
    return c.json({ id, name, email }, 200, personal);
  })
  .get("/images", query(Page), async (c) => {
    const page = await Image.listMine(c.req.valid("query"));
    return c.json(page, 200, { ...Urls.next(c, page.next), ...personal });
  })
  .get("/images/:id", path(One), async (c) => {
    const image = await Image.getMine(c.req.valid("param").id);
    return c.json(image, 200, { etag: Etags.ofImage(image), ...personal });
  })
  .get("/likes", query(Liked), async (c) => {
    const page = await Like.listMine(c.req.valid("query"));
    return c.json(page, 200, { ...Urls.next(c, page.next), ...personal });
  });
