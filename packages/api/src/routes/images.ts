import * as Etag from "@balde/http/etag";
import { VisibleError } from "@balde/core/error";
import * as Image from "@balde/core/image";
import * as Like from "@balde/core/like";
import * as SignedUrl from "@balde/core/signed-url";
import * as Upload from "@balde/core/upload.schema";
import { UrlRequest, texts } from "@balde/imaging/request.schema";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";

import { privateUncached, publicRevalidated, publicForOneSecond } from "../cache-control.ts";
import * as Etags from "../etags.ts";
import type { Env } from "../http.ts";
import { idempotent } from "../idempotent.ts";
import { json, list, path, query } from "../validators.ts";
import * as Urls from "../urls.ts";
import { PageQuery } from "../page-query.ts";

const IdPath = z.strictObject({ id: Image.Info.shape.id });
const ListQuery = z.extend(PageQuery, { tag: Image.List.shape.tag });
const UploadQuery = z.extend(z.omit(Upload.Receive, { type: true }), {
  tags: z.optional(list(Image.Tags)),
});

const UrlsBody = z.strictObject({
  requests: z.array(UrlRequest).check(z.minLength(1), z.maxLength(SignedUrl.MAX_URLS)),
  seconds: z.optional(SignedUrl.LifetimeSeconds),
});

/** The reads that need no token. */
const publicReads = new Hono<Env>()
  .get("/", query(ListQuery), async (c) => {
    const page = await Image.list(c.req.valid("query"));
    return c.json(page, 200, { ...Urls.nextPageHeaders(c, page.next), ...publicForOneSecond });
  })
  .get("/:id", path(IdPath), async (c) => {
    const image = await Image.get(c.req.valid("param").id);
    const headers = { etag: Etags.ofImage(image), ...publicRevalidated };
    // a browser's fetch turns a 304 into its cached 200, so the type of the client has no 304
    if (Etag.matches(headers.etag, c.req.header("if-none-match")))
      return c.body(null, 304, headers) as never;
    return c.json(image, 200, headers);
  });

export const images = new Hono<Env>()
  .route("/", publicReads)
  .post("/", idempotent, query(UploadQuery), async (c) => {
    const { receive } = await import("@balde/core/upload");
    const { readImageBody } = await import("../image-body.ts");
    const image = await receive({ ...c.req.valid("query"), ...(await readImageBody(c)) });
    const list = image.visibility === "public" ? "images" : "me/images";
    return c.json(image, 202, {
      location: Urls.withStage(c, `/v1/${list}/${image.id}`),
      ...privateUncached,
    });
  })
  .patch("/:id", path(IdPath), json(Image.Changes), async (c) => {
    const { id } = c.req.valid("param");
    const version = await expectedVersion(id, c.req.header("if-match"));
    const image = await Image.update({ id, version, ...c.req.valid("json") });
    return c.json(image, 200, { etag: Etags.ofImage(image), ...privateUncached });
  })
  .delete("/:id", path(IdPath), async (c) => {
    const { id } = c.req.valid("param");
    await Image.remove(id);
    return c.json({ id, state: "deleted" as const }, 202, privateUncached);
  })
  .post("/:id/urls", path(IdPath), json(UrlsBody), async (c) => {
    const { requests, seconds } = c.req.valid("json");
    const urls = requests.map(({ preset, ...request }) => ({ preset, query: texts(request) }));
    const host = Urls.host(c);
    const { paths, expiresAt } = await SignedUrl.create({
      ...c.req.valid("param"),
      host,
      urls,
      seconds,
    });
    return c.json(
      { urls: paths.map((one) => Urls.absoluteUrl(c, one)), expiresAt },
      200,
      privateUncached,
    );
  })
  .put("/:id/like", path(IdPath), async (c) =>
    c.json(await Like.put(c.req.valid("param").id), 200, privateUncached),
  )
  .delete("/:id/like", path(IdPath), async (c) =>
    c.json(await Like.remove(c.req.valid("param").id), 200, privateUncached),
  )
  .get("/:id/likes", path(IdPath), query(PageQuery), async (c) => {
    const page = await Like.list({ ...c.req.valid("param"), ...c.req.valid("query") });
    return c.json(page, 200, { ...Urls.nextPageHeaders(c, page.next), ...publicForOneSecond });
  });

/** The same reads with an API key, which the gateway meters. */
export const partnerReads = new Hono<Env>().route("/images", publicReads);

/** The version that the change requires; undefined when `If-Match: *` allows any. */
async function expectedVersion(id: Image.Info["id"], ifMatch: string | undefined) {
  if (!ifMatch) throw ifMatchMissingError();
  const seen = Etags.versions(ifMatch);
  if (seen === "any") return undefined;
  if (seen.length === 1) return seen[0];
  const { version } = await Image.getMine(id);
  if (!seen.includes(version)) throw changedError(ifMatch);
  return version;
}

const ifMatchMissingError = () =>
  new VisibleError(
    "precondition_required",
    "image.if_match_missing",
    "If-Match is missing; send the ETag of the image's last GET, so that no other change is overwritten",
  );

const changedError = (ifMatch: string) =>
  new VisibleError(
    "precondition_failed",
    "image.changed",
    `The image has none of the versions in If-Match: ${ifMatch}; read it again`,
  );
