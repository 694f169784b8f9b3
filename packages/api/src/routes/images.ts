import * as Etag from "@balde/http/etag";
import { VisibleError } from "@balde/core/error";
import * as Image from "@balde/core/image";
import * as Like from "@balde/core/like";
import * as SignedUrl from "@balde/core/signed-url";
import * as Upload from "@balde/core/upload";
import { Wanted, texts } from "@balde/imaging/request.schema";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { personal, revalidated, shared } from "../cache-control.ts";
import * as Etags from "../etags.ts";
import type { Env } from "../http.ts";
import { idempotent } from "../idempotent.ts";
import { json, list, path, query } from "../validators.ts";
import * as Urls from "../urls.ts";
import { Page } from "../page.ts";
import { picture } from "../image-body.ts";

const One = z.strictObject({ id: Image.Info.shape.id });
const Listed = z.extend(Page, { tag: Image.List.shape.tag });
const Described = z.extend(z.omit(Upload.Receive, { type: true }), {
  tags: z.optional(list(Image.Tags)),
});

const Addresses = z.strictObject({
  requests: z.array(Wanted).check(z.minLength(1), z.maxLength(SignedUrl.MAX_URLS)),
  seconds: z.optional(SignedUrl.LifetimeSeconds),
});

/** What anyone may read, of one image and of all. */
const reads = new Hono<Env>()
  .get("/", query(Listed), async (c) => {
    const page = await Image.list(c.req.valid("query"));
    return c.json(page, 200, { ...Urls.next(c, page.next), ...shared });
  })
  .get("/:id", path(One), async (c) => {
    const image = await Image.get(c.req.valid("param").id);
    const headers = { etag: Etags.ofImage(image), ...revalidated };
    // a client's fetch answers a 304 by itself, from its cache, so its type says nothing of one
    if (Etag.matches(headers.etag, c.req.header("if-none-match")))
      return c.body(null, 304, headers) as never;
    return c.json(image, 200, headers);
  });

export const images = new Hono<Env>()
  .route("/", reads)
  .post("/", idempotent, query(Described), async (c) => {
    const image = await Upload.receive({ ...c.req.valid("query"), ...(await picture(c)) });
    const list = image.visibility === "public" ? "images" : "me/images";
    return c.json(image, 202, { location: Urls.within(c, `/v1/${list}/${image.id}`), ...personal });
  })
  .patch("/:id", path(One), json(Image.Changes), async (c) => {
    const { id } = c.req.valid("param");
    const version = await seenVersion(id, c.req.header("if-match"));
    const image = await Image.update({ id, version, ...c.req.valid("json") });
    return c.json(image, 200, { etag: Etags.ofImage(image), ...personal });
  })
  .delete("/:id", path(One), async (c) => {
    const { id } = c.req.valid("param");
    await Image.remove(id);
    return c.json({ id, state: "deleted" as const }, 202, personal);
  })
  .post("/:id/urls", path(One), json(Addresses), async (c) => {
    const { requests, seconds } = c.req.valid("json");
    const urls = requests.map(({ preset, ...request }) => ({ preset, query: texts(request) }));
    const host = Urls.host(c);
    const { paths, expiresAt } = await SignedUrl.create({
      ...c.req.valid("param"),
      host,
      urls,
      seconds,
    });
    return c.json({ urls: paths.map((one) => Urls.absolute(c, one)), expiresAt }, 200, personal);
  })
  .put("/:id/like", path(One), async (c) =>
    c.json(await Like.put(c.req.valid("param").id), 200, personal),
  )
  .delete("/:id/like", path(One), async (c) =>
    c.json(await Like.remove(c.req.valid("param").id), 200, personal),
  )
  .get("/:id/likes", path(One), query(Page), async (c) => {
    const page = await Like.list({ ...c.req.valid("param"), ...c.req.valid("query") });
    return c.json(page, 200, { ...Urls.next(c, page.next), ...shared });
  });

/** The same reads for whoever shows an API key: the gateway counts them. */
export const metered = new Hono<Env>().route("/images", reads);

/** The version that a change is for; undefined when the writer says that any will do. */
async function seenVersion(id: Image.Info["id"], ifMatch: string | undefined) {
  if (!ifMatch) throw ifMatchMissing();
  const seen = Etags.versions(ifMatch);
  if (seen === "any") return undefined;
  if (seen.length === 1) return seen[0];
  const { version } = await Image.getMine(id);
  if (!seen.includes(version)) throw tagIsStrange(ifMatch);
  return version;
}

const ifMatchMissing = () =>
  new VisibleError(
    "precondition_required",
    "image.if_match_missing",
    "Send If-Match with the ETag that GET answered, so that nobody's change is lost",
  );

const tagIsStrange = (ifMatch: string) =>
  new VisibleError("precondition_failed", "image.changed", `No version of the image is ${ifMatch}`);
