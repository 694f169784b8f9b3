import * as Actor from "@balde/core/actor";
import * as Image from "@balde/core/image";
import * as Like from "@balde/core/like";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { privateUncached } from "../cache-control.ts";
import * as Etags from "../etags.ts";
import type { Env } from "../http.ts";
import { list, path, query } from "../validators.ts";
import * as Urls from "../urls.ts";
import { PageQuery } from "../page-query.ts";

const IdPath = z.strictObject({ id: Image.Info.shape.id });
const LikesQuery = z.extend(PageQuery, {
  ids: z.optional(list(Like.ListMine.shape.ids.def.innerType)),
});

// personal reads have their own paths, so that every other GET is equal for all users and can be cached
export const me = new Hono<Env>()
  .get("/", (c) => {
    const { id, name, email } = Actor.requireUser();
    return c.json({ id, name, email }, 200, privateUncached);
  })
  .delete("/", async (c) => {
    const Account = await import("@balde/core/account");
    const { id } = await Account.remove();
    return c.json({ id, state: "deleting" as const }, 202, privateUncached);
  })
  .get("/usage", async (c) => {
    const Usage = await import("@balde/core/usage");
    return c.json(await Usage.get(), 200, privateUncached);
  })
  .get("/images", query(PageQuery), async (c) => {
    const page = await Image.listMine(c.req.valid("query"));
    return c.json(page, 200, { ...Urls.nextPageHeaders(c, page.next), ...privateUncached });
  })
  .get("/images/:id", path(IdPath), async (c) => {
    const image = await Image.getMine(c.req.valid("param").id);
    return c.json(image, 200, { etag: Etags.ofImage(image), ...privateUncached });
  })
  .get("/likes", query(LikesQuery), async (c) => {
    const page = await Like.listMine(c.req.valid("query"));
    return c.json(page, 200, { ...Urls.nextPageHeaders(c, page.next), ...privateUncached });
  });
