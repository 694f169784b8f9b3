import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import {
  type Image,
  type User,
  send,
  waitForIngest,
  signIn,
  upload,
  pollUntil,
} from "./api-calls.ts";
import { sampleJpeg, sampleImage } from "./sample-image.ts";

let stage: Stage;
let ann: User;
let bo: User;
let image: Image;
let derivative: Buffer;

const chromium = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const get = (path: string, headers: Record<string, string> = {}) =>
  send(stage.local, "GET", path, undefined, headers);
const likes = async () => ((await (await get(`/v1/images/${image.id}`)).json()) as Image).likes;

beforeAll(async () => {
  stage = await openStage();
  [ann, bo] = await Promise.all([signIn(stage.local, 0), signIn(stage.local, 1)]);
});

afterAll(() => stage?.stop());

test("a photograph is uploaded to S3 with the form of the API and becomes ready", async () => {
  const bytes = await sampleImage(3000, 2000)
    .withExif({ IFD0: { Artist: "secret-photographer" }, IFD3: { GPSLatitude: "51/1 30/1 0/1" } })
    .withXmp(
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>',
    )
    .jpeg()
    .toBuffer();
  const sent = await upload(ann, new Uint8Array(bytes), { name: "field.jpg", title: "Field" });
  expect(sent.image).toMatchObject({ state: "pending", name: "field.jpg" });
  expect(sent.stored.status).toBe(201);

  image = await waitForIngest(stage.local, sent.image.id);
  expect(image).toMatchObject({
    state: "ready",
    width: 3000,
    height: 2000,
    type: "image/jpeg",
    likes: 0,
  });
  expect(image.rev).toMatch(/^[0-9a-f]{12}$/);
  expect(image.color).toMatch(/^#[0-9a-f]{6}$/);
  expect(image.thumbhash).toMatch(/^[A-Za-z0-9+/]+=*$/);
});

test.each([
  ["a browser that accepts AVIF", chromium, "image/avif"],
  ["a browser that accepts WebP", "image/webp,*/*", "image/webp"],
  ["curl", "*/*", "image/jpeg"],
])("%s gets a width of 640 pixels in its format", async (_, accept, type) => {
  const answer = await get(`/i/${image.id}/${image.rev}?w=640`, { accept });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe(type);
  expect(answer.headers.get("vary")).toMatch(/accept/i);
  expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(await sharp(bytes).metadata()).toMatchObject({ width: 640, height: 427 });
  expect(bytes.includes("secret-photographer")).toBe(false);
  if (type === "image/jpeg") derivative = bytes;
});

test("a second request gets the stored derivative, and one with If-None-Match 304", async () => {
  // the derivative is stored after the first response, so a very early second request renders again
  const again = await pollUntil(
    2_000,
    () => get(`/i/${image.id}/${image.rev}?w=640`, { accept: "*/*" }),
    ({ headers }) => !/render/.test(headers.get("server-timing") ?? ""),
  );
  expect(Buffer.from(await again.arrayBuffer()).equals(derivative)).toBe(true);
  expect(again.headers.get("server-timing")).toMatch(/stored/);
  expect(again.headers.get("server-timing")).not.toMatch(/render/);

  const etag = again.headers.get("etag")!;
  const unchanged = await get(`/i/${image.id}/${image.rev}?w=640`, {
    accept: "*/*",
    "if-none-match": etag,
  });
  expect(unchanged.status).toBe(304);
  expect(await unchanged.text()).toBe("");
  expect(unchanged.headers.get("content-type")).toBe("image/jpeg");
  expect(unchanged.headers.get("server-timing") ?? "").not.toMatch(/render|decode/);

  // a response without a body must free its function too: more requests than there are processes
  const path = `/i/${image.id}/${image.rev}?w=640`;
  const responses = Array.from({ length: 60 }, () =>
    get(path, { accept: "*/*", "if-none-match": etag }),
  );
  expect(new Set((await Promise.all(responses)).map(({ status }) => status))).toEqual(
    new Set([304]),
  );
  expect((await send(stage.local, "HEAD", path)).status).toBe(200);
});

test.each([
  ["w=300&h=300&fit=cover", 300, 300],
  ["w=300&h=300&fit=contain", 300, 300],
  ["w=300&h=100&fit=fill", 300, 100],
  ["w=300&h=300&fit=inside", 300, 200],
  ["w=300&h=300&fit=outside", 450, 300],
  ["h=100", 150, 100],
  ["w=200&dpr=2", 400, 267],
  ["w=200&q=30&f=webp", 200, 133],
  ["w=200&f=png", 200, 133],
  ["w=200&f=avif", 200, 133],
])("?%s returns %i × %i pixels", async (query, width, height) => {
  const answer = await get(`/i/${image.id}/${image.rev}?${query}`);
  expect(answer.status).toBe(200);
  const data = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
  expect(data).toMatchObject({ width, height });
});

test.each([
  ["a preset of a revision", (id: string, rev: string) => `/i/${id}/${rev}/thumb`, 160],
  ["a preset of the newest revision", (id: string) => `/i/${id}/thumb`, 160],
  ["a preset with another key in the query", (id: string) => `/i/${id}/thumb?dpr=2`, 320],
])("%s returns its size", async (_, path, edge) => {
  const answer = await get(path(image.id, image.rev!));
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(await sharp(bytes).metadata()).toMatchObject({ width: edge, height: edge });
});

test("an unknown preset is answered with the list of presets", async () => {
  const answer = await get(`/i/${image.id}/${image.rev}/poster`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({
    code: "delivery.no_such_preset",
    detail: expect.stringMatching(/"poster".*presets are card, hero, thumb/),
  });
});

test("a named image is served from the bucket without a function and without EXIF", async () => {
  const answer = await get("/s3?image=field.jpg");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("image/jpeg");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  const bytes = Buffer.from(await answer.arrayBuffer());
  const { width, height, exif } = await sharp(bytes).metadata();
  expect([width, height, exif]).toEqual([3000, 2000, undefined]);
  expect(bytes.includes("secret-photographer")).toBe(false);

  const etag = answer.headers.get("etag")!;
  const head = await send(stage.local, "HEAD", "/s3?image=field.jpg");
  expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([200, 0]);
  for (const name of ["content-type", "content-length", "etag", "cache-control"])
    expect([name, head.headers.get(name)]).toEqual([name, answer.headers.get(name)]);
  expect((await send(stage.local, "HEAD", "/s3?image=absent.jpg")).status).toBe(404);
  const unchanged = await get("/s3?image=field.jpg", { "if-none-match": etag });
  expect([unchanged.status, unchanged.headers.get("content-type")]).toEqual([304, "image/jpeg"]);
  const part = await get("/s3?image=field.jpg", { range: "bytes=0-9" });
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
});

test("a user's like counts once and is in the count within a second", async () => {
  const first = await ann.send("PUT", `/v1/images/${image.id}/like`);
  expect(await first.json()).toMatchObject({ liked: true, likes: 1 });
  // a click returns the stored count with itself, so the next ones wait until the stream has counted it
  expect(await pollUntil(1_000, likes, (count) => count === 1)).toBe(1);
  const again = await ann.send("PUT", `/v1/images/${image.id}/like`);
  expect(await again.json()).toMatchObject({ liked: true, likes: 1 });
  const other = await bo.send("PUT", `/v1/images/${image.id}/like`);
  expect(await other.json()).toMatchObject({ liked: true, likes: 2 });

  expect(await pollUntil(1_000, likes, (count) => count === 2)).toBe(2);
  expect(await likes()).toBe(2);

  const taken = await bo.send("DELETE", `/v1/images/${image.id}/like`);
  expect(await taken.json()).toMatchObject({ liked: false, likes: 1 });
  expect(await pollUntil(1_000, likes, (count) => count === 1)).toBe(1);
});

test("one request with the image as its body is enough", async () => {
  const bytes = new Uint8Array(await sampleJpeg(800, 600, 3));
  const answer = await ann.send("POST", "/v1/images?title=Body", bytes, {
    "content-type": "image/jpeg",
  });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as Image;
  expect(answer.headers.get("location")).toContain(`/v1/images/${id}`);
  expect(await waitForIngest(stage.local, id)).toMatchObject({
    state: "ready",
    width: 800,
    height: 600,
  });
});

test("the list has the newest images first, in pages", async () => {
  const first = await get("/v1/images?limit=2");
  const page = (await first.json()) as { items: Image[]; next: string | null };
  expect(page.items).toHaveLength(2);
  expect(first.headers.get("link")).toMatch(/rel="next"/);

  const seen = [...page.items];
  for (let next = page.next; next;) {
    const more = (await (await get(`/v1/images?limit=2&cursor=${next}`)).json()) as typeof page;
    seen.push(...more.items);
    next = more.next;
  }
  const ids = seen.map((each) => each.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(ids.toSorted().toReversed());
  expect(ids).toContain(image.id);
});

test("a deleted image has no bytes, derivatives, likes and name any more", async () => {
  expect((await ann.send("DELETE", `/v1/images/${image.id}`)).status).toBe(202);

  const status = (path: string) => async () => (await get(path)).status;
  const isNotFound = (code: number) => code === 404;
  expect(await pollUntil(10_000, status(`/v1/images/${image.id}`), isNotFound)).toBe(404);
  expect(await pollUntil(10_000, status(`/i/${image.id}/${image.rev}?w=640`), isNotFound)).toBe(
    404,
  );
  expect(await pollUntil(10_000, status("/s3?image=field.jpg"), isNotFound)).toBe(404);
  expect((await get(`/v1/images/${image.id}/likes`)).status).toBe(404);

  const mine = await (await ann.send("GET", `/v1/me/likes?ids=${image.id}`)).json();
  expect(JSON.stringify(mine)).not.toContain(`"liked":true`);
  const named = await upload(ann, new Uint8Array(await sampleJpeg(400, 300, 5)), {
    name: "field.jpg",
  });
  expect(await waitForIngest(stage.local, named.image.id)).toMatchObject({
    state: "ready",
    name: "field.jpg",
  });
});
