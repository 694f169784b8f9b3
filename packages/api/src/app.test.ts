import * as Bucket from "@balde/core/bucket";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { setLimits, startCloud } from "../../core/test/cloud.ts";
import { readyImage } from "../../core/test/samples.ts";
import { type Bundle, bundle } from "../test/bundle.ts";
import { restEvent } from "../test/rest-event.ts";
import { app } from "./app.ts";
import { serve } from "./rest-event.ts";

type Handler = (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

let cloud: Awaited<ReturnType<typeof startCloud>>;
let built: Bundle;
const handlers: Record<string, Handler> = { "undici's classes": serve(app) };

beforeAll(async () => {
  [cloud, built] = await Promise.all([startCloud(), bundle()]);
  handlers["the bundle's light classes"] = (
    (await import(built.entry)) as { handler: Handler }
  ).handler;
});

afterAll(async () => {
  built?.remove();
  await cloud?.stop();
});

describe.each(["undici's classes", "the bundle's light classes"])("with %s", (classes) => {
  async function call(...[method, path, parts]: Parameters<typeof restEvent>) {
    const answer = await handlers[classes]!(restEvent(method, path, parts));
    const { statusCode: status, headers = {}, body } = answer;
    // each test narrows what it looks at
    // oxlint-disable-next-line typescript/no-explicit-any
    return { status, headers, body: (body ? JSON.parse(body) : undefined) as any };
  }
  const ann = { sub: "ann" };
  const json = (body: object, headers: Record<string, string> = {}) => ({
    ...ann,
    body,
    headers: { "content-type": "application/json", ...headers },
  });

  test("creating an upload returns the image, a form for the bucket and the location of its state", async () => {
    const { status, headers, body } = await call(
      "POST",
      "/v1/uploads",
      json({ type: "image/jpeg", bytes: 10, title: "Field" }),
    );
    expect(status).toBe(201);
    expect(body.image).toMatchObject({ state: "pending", title: "Field", ownerId: "ann" });
    expect(body.upload).toMatchObject({
      url: expect.any(String),
      fields: { Policy: expect.any(String) },
    });
    expect(headers).toMatchObject({
      location: `/test/v1/uploads/${body.image.id}`,
      "cache-control": "private, no-store",
    });
    const found = await call("GET", `/v1/uploads/${body.image.id}`, ann);
    expect(found.body).toMatchObject({ id: body.image.id, state: "pending", bytes: 10 });
    expect((await call("GET", `/v1/uploads/${body.image.id}`, { sub: "bo" })).status).toBe(404);
  });

  test("a repeated request with the same idempotency key creates once", async () => {
    const key = `"${crypto.randomUUID()}"`;
    const ask = (body: object, more: { sub?: string; key?: string } = {}) =>
      call("POST", "/v1/uploads", {
        ...json(body, { "Idempotency-Key": more.key ?? key }),
        sub: more.sub ?? "ann",
      });
    const field = { type: "image/jpeg", bytes: 10, title: "Field" };
    const first = await ask(field);
    const again = await ask(field, { key: key.slice(1, -1) });
    expect([first.status, again.status]).toEqual([201, 201]);
    // the form may be one second younger
    expect(again.body.image).toEqual(first.body.image);
    expect(again.headers).toMatchObject({
      "content-type": first.headers["content-type"],
      location: first.headers["location"],
      "cache-control": "private, no-store",
      "idempotency-replayed": "true",
    });
    expect(first.headers).not.toHaveProperty("idempotency-replayed");

    const other = await ask({ ...field, title: "Fields" });
    expect([other.status, other.body.code]).toEqual([422, "idempotency.other_request"]);
    const bo = await ask(field, { sub: "bo" });
    expect([bo.status, bo.body.image.ownerId]).toEqual([201, "bo"]);
    const { status: onAnotherRoute } = await call("POST", "/v1/images", {
      ...ann,
      headers: { "content-type": "image/jpeg", "Idempotency-Key": key },
      body: new Uint8Array([0xff, 0xd8, 0xff]),
    });
    expect(onAnotherRoute).toBe(202);
    const mine = await call("GET", "/v1/me/images", ann);
    const ids = mine.body.items.map(({ id }: { id: string }) => id);
    expect(ids.filter((id: string) => id === first.body.image.id)).toHaveLength(1);
  });

  test("an idempotency key is free after a failed request, and an invalid key is rejected", async () => {
    const key = crypto.randomUUID();
    const ask = (body: object, header: string = key) =>
      call("POST", "/v1/uploads", json(body, { "idempotency-key": header }));
    const refused = await ask({ type: "image/jpeg", bytes: 0 });
    expect([refused.status, refused.body.code]).toEqual([400, "input.invalid"]);
    expect((await ask({ type: "image/jpeg", bytes: 1 })).status).toBe(201);
    for (const header of ["", '""', "a b", "ä", "k".repeat(256)]) {
      const { status, body } = await ask({ type: "image/jpeg", bytes: 1 }, header);
      expect([header, status, body.code]).toEqual([header, 400, "idempotency.invalid_key"]);
    }
  });

  test("an upload without a user is 401, one of too many bytes is 413 with the limit", async () => {
    const upload = json({ type: "image/jpeg", bytes: 10 });
    const anonymous = await call("POST", "/v1/uploads", { ...upload, sub: "" });
    expect([anonymous.status, anonymous.body.code]).toEqual([401, "actor.unauthenticated"]);
    for (const [limit, about] of [
      ["16 MiB", { bytes: 17 << 20, method: "form" }],
      ["500 MiB", { bytes: 501 << 20 }],
    ] as const) {
      const large = await call("POST", "/v1/uploads", json({ type: "image/jpeg", ...about }));
      expect([large.status, large.body.detail]).toEqual([413, expect.stringContaining(limit)]);
    }
  });

  test("an upload in parts is begun once with an idempotency key, sent, completed and ended", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const about = json({ type: "image/tiff", bytes: 20_000_000 }, headers);
    const begun = await call("POST", "/v1/uploads", about);
    const again = await call("POST", "/v1/uploads", about);
    expect([begun.status, again.status]).toEqual([201, 201]);
    expect(again.body.image.id).toBe(begun.body.image.id);
    expect(again.body.upload).toEqual(begun.body.upload);
    expect(begun.body.upload).toMatchObject({ method: "parts", partBytes: 8 << 20, partCount: 3 });
    const path = `/v1/uploads/${begun.body.image.id}`;
    const signed = await call("POST", `${path}/parts`, json({ numbers: [3] }));
    expect([signed.status, signed.body.parts]).toMatchObject([200, [{ number: 3 }]]);
    const wrong = await call("POST", `${path}/parts`, json({ numbers: [4] }));
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, "#/numbers/0"]);
    const early = await call("POST", `${path}/complete`, ann);
    expect([early.status, early.body.code]).toEqual([409, "upload.incomplete"]);
    for (const [method, sub, status] of [
      ["DELETE", "bo", 404],
      ["DELETE", "ann", 202],
      ["DELETE", "ann", 202],
      ["GET", "ann", 404],
    ] as const)
      expect([method, sub, (await call(method, path, { sub })).status]).toEqual([
        method,
        sub,
        status,
      ]);
  });

  test("an owner in the body is rejected", async () => {
    const upload = json({ type: "image/jpeg", bytes: 10, ownerId: "bo" });
    const { status, body } = await call("POST", "/v1/uploads", upload);
    expect([status, body.errors[0].pointer]).toEqual([400, "#/ownerId"]);
  });

  const png = (length: number) => {
    const bytes = Uint8Array.from({ length }, (_, index) => index % 256);
    bytes.set(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    return bytes;
  };

  test("an image in the body is stored byte for byte", async () => {
    const bytes = png(1000);
    const { status, headers, body } = await call("POST", "/v1/images", {
      ...ann,
      body: bytes,
      headers: { "Content-Type": "image/png" },
      query: { title: ["Body & soul"], tags: ["one,two"], fileName: ["fe\u0301rias na praia.png"] },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({
      state: "pending",
      title: "Body & soul",
      tags: ["one", "two"],
      fileName: "f\u00e9rias na praia.png",
      bytes: 1000,
    });
    expect(headers.location).toBe(`/test/v1/images/${body.id}`);
    const stored = await Bucket.read(`uploads/${body.id}`);
    expect(stored?.equals(bytes)).toBe(true);
  });

  test("tags may be one list or repeated, and nothing else may be repeated", async () => {
    const post = (query: Record<string, string[]>) =>
      call("POST", "/v1/images", {
        ...ann,
        body: png(99),
        headers: { "content-type": "image/png" },
        query,
      });
    expect((await post({ tags: ["one", "two,three"] })).body.tags).toEqual(["one", "two", "three"]);
    const repeated = await post({ title: ["one", "two"] });
    expect([repeated.status, repeated.body.errors[0].parameter]).toEqual([400, "title"]);
  });

  test.each([
    ["image/jpg", "image/jpeg"],
    ["IMAGE/PNG; x=1", "image/png"],
    ["image/heic", "image/heic"],
    ["image/x-icon", "image/x-icon"],
    ["application/octet-stream", "application/octet-stream"],
  ])("an image with the content type %s is read", async (type, stored) => {
    const headers = { "content-type": type };
    const answer = await call("POST", "/v1/images", { ...ann, body: png(99), headers });
    expect([answer.status, answer.body.type]).toEqual([202, stored]);
    const begun = await call("POST", "/v1/uploads", json({ type, bytes: 99 }));
    expect([begun.status, begun.body.image.type]).toEqual([201, stored]);
  });

  test("an upload whose type the browser does not know is begun", async () => {
    for (const about of [{ type: "" }, {}]) {
      const { status, body } = await call("POST", "/v1/uploads", json({ ...about, bytes: 99 }));
      expect([status, body.image.type]).toEqual([201, "application/octet-stream"]);
    }
  });

  test.each([
    ["text", png(9), "text/plain", 415, "body.not_picture"],
    ["an image without a content type", png(9), undefined, 415, "body.not_picture"],
    ["an image with an empty content type", png(9), " ", 415, "body.not_picture"],
    ["a form", png(9), "application/x-www-form-urlencoded", 415, "body.not_picture"],
    ["a text as an image", Buffer.from("No image"), "image/png", 415, "image.not_a_picture"],
    [
      "a page as an image",
      Buffer.from("<html></html>"),
      "image/svg+xml",
      415,
      "image.not_a_picture",
    ],
    ["zeros as an image", new Uint8Array(9000), "image/jpeg", 415, "image.not_a_picture"],
    ["one byte as an image", new Uint8Array([255]), "image/jpeg", 415, "image.not_a_picture"],
    ["an empty image", new Uint8Array(), "image/png", 400, "body.empty"],
    ["4,500,001 bytes", png(4_500_001), "image/png", 413, "body.too_large"],
  ])("%s as a body is rejected", async (_, body, type, status, code) => {
    const headers: Record<string, string> = type ? { "content-type": type } : {};
    const answer = await call("POST", "/v1/images", { ...ann, body, headers });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("a body that is too large names the limit, its unit and the other way in", async () => {
    const headers = { "content-type": "image/png" };
    const { body } = await call("POST", "/v1/images", { ...ann, body: png(5_000_000), headers });
    expect(body.detail).toBe(
      "The body has 4.76 MiB (5000000 bytes); one request takes at most 4.29 MiB (4500000 bytes). Send larger images, up to 500 MiB, with POST /v1/uploads",
    );
  });

  test("an SVG behind a long comment is accepted: ingest looks for its beginning", async () => {
    const body = `<!--${"licence ".repeat(1000)}--><svg xmlns="http://www.w3.org/2000/svg"/>`;
    const headers = { "content-type": "image/svg+xml" };
    expect((await call("POST", "/v1/images", { ...ann, body, headers })).status).toBe(202);
  });

  test("a body of exactly 4,500,000 bytes is accepted", async () => {
    const { status, body } = await call("POST", "/v1/images", {
      ...ann,
      body: png(4_500_000),
      headers: { "content-type": "image/png" },
    });
    expect([status, body.bytes]).toEqual([202, 4_500_000]);
  });

  test("an image has an ETag, and If-None-Match gets 304 until it changes", async () => {
    const path = `/v1/images/${await readyImage({ title: "Before" })}`;
    const read = await call("GET", path);
    expect([read.status, read.body.title]).toEqual([200, "Before"]);
    const again = await call("GET", path, {
      headers: { "if-none-match": read.headers.etag as string },
    });
    expect([again.status, again.body, again.headers.etag]).toEqual([
      304,
      undefined,
      read.headers.etag,
    ]);

    const headers = { "if-match": read.headers.etag as string };
    const changed = await call("PATCH", path, json({ title: "After", alt: null }, headers));
    expect([changed.status, changed.body.title]).toEqual([200, "After"]);
    expect(changed.headers.etag).not.toBe(read.headers.etag);
    const fresh = await call("GET", path, {
      headers: { "if-none-match": read.headers.etag as string },
    });
    expect([fresh.status, fresh.headers.etag]).toEqual([200, changed.headers.etag]);
  });

  test("a change needs If-Match with the current version", async () => {
    const path = `/v1/images/${await readyImage({ title: "Before" })}`;
    const { etag } = (await call("GET", path)).headers;
    const patch = async (...tags: string[]) =>
      (await call("PATCH", path, json({ title: "x" }, tags[0] ? { "if-match": tags[0] } : {})))
        .status;
    expect(await patch()).toBe(428);
    expect(await patch('"999.0"')).toBe(412);
    expect(await patch(`W/${etag}`)).toBe(412);
    expect(await patch(`"999.0", "998.0"`)).toBe(412);
    expect((await call("GET", path)).body.title).toBe("Before");
    expect(await patch(`"999.0", ${etag}`)).toBe(200);
    expect(await patch(String(etag))).toBe(412);
    expect(await patch("*")).toBe(200);
  });

  test("another user's image is neither changed nor deleted", async () => {
    const path = `/v1/images/${await readyImage()}`;
    const change = { ...json({ title: "mine" }, { "if-match": "*" }), sub: "bo" };
    expect((await call("PATCH", path, change)).status).toBe(403);
    expect((await call("DELETE", path, { sub: "bo" })).status).toBe(403);
    expect((await call("GET", path)).status).toBe(200);
  });

  test("a deleted image is gone at once, and deleting it again succeeds", async () => {
    const path = `/v1/images/${await readyImage()}`;
    expect((await call("DELETE", path, ann)).status).toBe(202);
    expect((await call("GET", path)).status).toBe(404);
    expect((await call("DELETE", path, ann)).status).toBe(202);
  });

  test("a like counts once for each user, and the response includes it", async () => {
    const path = `/v1/images/${await readyImage()}`;
    const like = async (method: string, sub: string) =>
      (await call(method, `${path}/like`, { sub })).body;
    expect(await like("PUT", "ann")).toMatchObject({ liked: true });
    expect(await like("PUT", "bo")).toMatchObject({ liked: true });
    await like("PUT", "ann");
    const { body, headers } = await call("GET", `${path}/likes`);
    expect(body.items.map((item: { userId: string }) => item.userId)).toEqual(["bo", "ann"]);
    expect(headers["cache-control"]).toContain("public");
    expect(await like("DELETE", "ann")).toMatchObject({ liked: false });
    expect((await call("GET", `${path}/likes`)).body.items).toHaveLength(1);
    expect((await call("PUT", `${path}/like`, {})).status).toBe(401);
  });

  test("a user can read which of several images they like", async () => {
    const [liked, other] = [await readyImage(), await readyImage()];
    await call("PUT", `/v1/images/${liked}/like`, { sub: "cy" });
    const { status, body, headers } = await call("GET", "/v1/me/likes", {
      sub: "cy",
      query: { ids: [`${liked},${other}`] },
    });
    expect([status, body.items.map((item: { imageId: string }) => item.imageId)]).toEqual([
      200,
      [liked],
    ]);
    expect(headers["cache-control"]).toBe("private, no-store");
    const bad = await call("GET", "/v1/me/likes", { sub: "cy", query: { ids: ["img_x"] } });
    expect([bad.status, bad.body.errors[0].parameter]).toEqual([400, "ids"]);
  });

  test("the owner of an image gets signed URLs, and errors for wrong requests", async () => {
    const path = `/v1/images/${await readyImage({ visibility: "private" })}`;
    const urls = (body: object, sub = "ann", Host = "h") =>
      call("POST", `${path}/urls`, { ...json(body, { Host }), sub });
    const requests = [{ w: 640, pos: { x: 0.5, y: 0.25 }, f: "avif" }, { preset: "tile" }];
    const { status, body, headers } = await urls({ requests, seconds: 60 });
    expect([status, headers["cache-control"]]).toEqual([200, "private, no-store"]);
    const [one, two] = body.urls.map((url: string) => new URL(url));
    expect(one.href).toContain(
      `https://h/test/i/${path.slice(11)}/0123456789ab?w=640&pos=0.5,0.25&f=avif&exp=`,
    );
    expect(two.pathname).toMatch(/\/0123456789ab\/tile$/);
    const left = Date.parse(body.expiresAt) / 1000 - Date.now() / 1000;
    expect(left).toBeGreaterThan(50);
    expect(left).toBeLessThanOrEqual(60);
    expect(Number(one.searchParams.get("exp")) * 1000).toBe(Date.parse(body.expiresAt));
    const plain = await urls({ requests: [{}] }, "ann", "h:1");
    expect(plain.body.urls[0]).toMatch(/^http:\/\/h:1\/test\/i\//);

    for (const [wrong, pointer] of [
      [{ requests: [] }, "#/requests"],
      [{ requests: Array.from({ length: 101 }, () => ({})) }, "#/requests"],
      [{ requests: [{ w: 5000 }] }, "#/requests/0/w"],
      [{ requests: [{ width: 50 }] }, "#/requests/0/width"],
      [{ requests: [{}], seconds: 8 * 24 * 3600 }, "#/seconds"],
      [{ requests: [{}], host: "evil" }, "#/host"],
    ] as const) {
      const answer = await urls(wrong);
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
    }
    const preset = await urls({ requests: [{ preset: "huge" }] });
    expect([preset.status, preset.body.detail]).toEqual([400, expect.stringContaining("tile")]);
    expect((await urls({ requests }, "bo")).status).toBe(404);
    expect((await urls({ requests }, "")).status).toBe(401);
  });

  test("a private image is readable under /v1/me only", async () => {
    const id = await readyImage({ visibility: "private" });
    const mine = await call("GET", `/v1/me/images/${id}`, ann);
    expect([mine.status, mine.body.visibility, mine.headers["cache-control"]]).toEqual([
      200,
      "private",
      "private, no-store",
    ]);
    for (const path of [`/v1/images/${id}`, `/v1/images/${id}/likes`, `/partner/v1/images/${id}`])
      expect((await call("GET", path, ann)).status).toBe(404);
    expect((await call("GET", `/v1/me/images/${id}`, { sub: "bo" })).status).toBe(404);
    const headers = { "if-match": String(mine.headers.etag) };
    const open = await call("PATCH", `/v1/images/${id}`, json({ visibility: "public" }, headers));
    expect([open.status, open.body.visibility]).toEqual([200, "public"]);
    expect((await call("GET", `/v1/images/${id}`)).status).toBe(200);
    const sent = {
      ...ann,
      body: new Uint8Array([0xff, 0xd8, 0xff]),
      headers: { "Content-Type": "image/png" },
    };
    const hidden = await call("POST", "/v1/images", {
      ...sent,
      query: { visibility: ["private"] },
    });
    expect(hidden.headers.location).toBe(`/test/v1/me/images/${hidden.body.id}`);
  });

  test("a list is read page by page through its Link header, which includes the stage", async () => {
    const tag = classes.replaceAll(/\W/g, "");
    for (let count = 0; count < 3; count++) await readyImage({ tags: [tag] });
    const query = { limit: ["2"], tag: [tag] };
    const first = await call("GET", "/v1/images", { query, stage: "laptop" });
    expect([first.status, first.body.items.length]).toEqual([200, 2]);
    const link = /^<(\/laptop\/v1\/images\?[^>]+)>; rel="next"$/.exec(
      String(first.headers.link),
    )![1]!;
    const next = Object.fromEntries(new URL(link, "https://a.b").searchParams);
    expect(next).toEqual({ limit: "2", tag, cursor: first.body.next });
    const values = Object.fromEntries(Object.entries(next).map(([key, value]) => [key, [value]]));
    const last = await call("GET", "/v1/images", { query: values });
    expect([last.body.items.length, last.body.next, last.headers.link]).toEqual([
      1,
      null,
      undefined,
    ]);
  });

  test("a forged cursor is rejected with the name of its parameter", async () => {
    const { status, body } = await call("GET", "/v1/images", { query: { cursor: ["forged"] } });
    expect([status, body.errors[0].parameter]).toEqual([400, "cursor"]);
  });

  test("a limit that is reached is 429, with the limit and when waiting helps, and the user can read how much is used", async () => {
    setLimits({ openUploads: 1 });
    const user = { sub: `limited ${classes}` };
    const eve = { ...json({ type: "image/png", bytes: 9 }), ...user };
    expect((await call("POST", "/v1/uploads", eve)).status).toBe(201);
    const { status, headers, body } = await call("POST", "/v1/uploads", eve);
    expect([status, body.code, body.quota]).toEqual([
      429,
      "quota.open_uploads",
      { used: 1, limit: 1, remaining: 0 },
    ]);
    expect(Number(headers["retry-after"])).toBeGreaterThan(80_000);
    const usage = await call("GET", "/v1/me/usage", user);
    expect(usage.body).toMatchObject({
      images: { used: 1 },
      bytes: { used: 9 },
      openUploads: { used: 1, limit: 1, remaining: 0 },
    });
    expect((await call("GET", "/v1/me/usage")).status).toBe(401);
  });

  test("a user can read their own data and images", async () => {
    const mine = await readyImage({}, "dee");
    expect((await call("GET", "/v1/me", { sub: "dee" })).body).toEqual({ id: "dee", name: "dee" });
    const { body } = await call("GET", "/v1/me/images", { sub: "dee" });
    expect(body.items.map((item: { id: string }) => item.id)).toContain(mine);
    expect((await call("GET", "/v1/me")).status).toBe(401);
    expect((await call("GET", "/v1/me/images")).status).toBe(401);
  });

  test.each([
    ["GET", "/v1/images/..%2Fsecret", 400],
    ["GET", "/v1/images/%F0%9F%90%9F", 400],
    ["GET", "/v1/images/img_00000000000000000000000000", 404],
    ["GET", "/v1/images/img_00000000000000000000000000/likes", 404],
    ["PUT", "/v1/images/img_00000000000000000000000000/like", 404],
    ["DELETE", "/v1/images/img_00000000000000000000000000", 404],
    ["POST", "/v1/me", 404],
  ])("%s %s is %i", async (method, path, expected) => {
    const { status, headers } = await call(method, path, ann);
    expect([status, headers["content-type"]]).toEqual([expected, "application/problem+json"]);
  });
});
