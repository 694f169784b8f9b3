import { request as httpRequest } from "node:http";

import { createClient } from "@balde/client";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Image, type User, send, signIn, pollUntil } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let ann: User;
let bo: User;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  stage = await openStage();
  [ann, bo] = await Promise.all([signIn(stage.local, 0), signIn(stage.local, 1)]);
  client = createClient(stage.local.api, { token: ann.idToken });
});

afterAll(() => stage?.stop());

const get = (path: string) => send(stage.local, "GET", path);
const status = async (path: string) => (await get(path)).status;

const upload = async (seed: number, about: Parameters<typeof client.upload>[1] = {}) =>
  client.upload(
    new Blob([new Uint8Array(await sampleJpeg(900, 600, seed))], { type: "image/jpeg" }),
    {
      visibility: "private",
      ...about,
    },
  );

test("a private image is readable by its owner and by signed URLs only", async () => {
  const image = await upload(41, { title: "Diary" });
  expect(image).toMatchObject({ state: "ready", visibility: "private", title: "Diary" });
  const { id, rev } = image;

  const all = (await (await get("/v1/images?limit=100")).json()) as { items: Image[] };
  expect(all.items.map((other) => other.id)).not.toContain(id);
  for (const path of [
    `/i/${id}`,
    `/i/${id}/${rev}?w=100`,
    `/i/${id}/thumb`,
    `/v1/images/${id}`,
    `/v1/images/${id}/likes`,
  ])
    expect([path, await status(path)]).toEqual([path, 404]);
  const key = { "x-api-key": stage.local.keys!.partner };
  expect((await send(stage.local, "GET", `/partner/v1/images/${id}`, undefined, key)).status).toBe(
    404,
  );
  for (const [method, path] of [
    ["GET", `/v1/me/images/${id}`],
    ["PUT", `/v1/images/${id}/like`],
    ["DELETE", `/v1/images/${id}`],
    ["POST", `/v1/images/${id}/urls`],
  ] as const) {
    const body = method === "POST" ? { requests: [{}] } : undefined;
    expect([method, (await bo.send(method, path, body)).status]).toEqual([method, 404]);
  }
  expect((await ann.send("PUT", `/v1/images/${id}/like`)).status).toBe(200);

  const { urls, expiresAt } = await client.urls(
    image,
    [{ w: 300, f: "webp" }, { preset: "thumb" }],
    { seconds: 600 },
  );
  expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 500_000);
  for (const url of urls) {
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    const [, age] = /^private, max-age=(\d+), must-revalidate$/.exec(
      answer.headers.get("cache-control")!,
    )!;
    expect(Number(age)).toBeLessThanOrEqual(600);
    expect(
      (await sharp(Buffer.from(await answer.arrayBuffer())).metadata()).width,
    ).toBeLessThanOrEqual(300);
  }
});

test("a signed URL with any changed character or another host is rejected", async () => {
  const image = await upload(42);
  const { urls } = await client.urls(image, [{ w: 120, f: "jpeg" }]);
  const url = urls[0]!;
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
  const [address, query] = url.split("?");
  const reordered = `${address}?${query!.split("&").toReversed().join("&")}`;
  expect((await fetch(reordered)).status).toBe(200);

  const path = url.slice(stage.local.api.length);
  const others = path
    .split("")
    .map((letter, at) => path.slice(0, at) + (letter === "1" ? "2" : "1") + path.slice(at + 1));
  others.push(
    `${path}&q=50`,
    `${path}&w=120`,
    `${path}&sig=${"A".repeat(43)}`,
    path.replace(/&sig=.*/, ""),
  );
  const sig = new URL(url).searchParams.get("sig")!;
  const inParallel = 8;
  const check = async (other: string) => {
    const answer = await get(other);
    const text = await answer.text();
    // the gateway answers 403 for an unknown path
    expect([other, [400, 403, 404].includes(answer.status)]).toEqual([other, true]);
    // an error must not contain the correct signature
    expect(text.includes(sig) && !other.includes(sig)).toBe(false);
  };
  for (let at = 0; at < others.length; at += inParallel)
    await Promise.all(others.slice(at, at + inParallel).map(check));
  expect(await statusWithHost(url, "other.example")).toBe(404);
  expect(await statusWithHost(url, new URL(url).host)).toBe(200);
});

/** Requests a URL with another Host header, which fetch does not allow. */
const statusWithHost = (url: string, host: string) =>
  new Promise<number>((resolve, reject) => {
    const request = httpRequest(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    request.on("error", reject);
    request.end();
  });

test("feed, name and delivery follow a change of visibility", async () => {
  const image = await upload(44, { name: "diary.jpg" });
  const path = `/v1/images/${image.id}`;
  expect(await status("/s3?image=diary.jpg")).toBe(404);
  for (const visibility of ["public", "private", "public"] as const) {
    const changed = await ann.send("PATCH", path, { visibility }, { "if-match": "*" });
    expect(changed.status).toBe(200);
    const expected = visibility === "public" ? 200 : 404;
    expect(await status(path)).toBe(expected);
    const list = (await (await get("/v1/images?limit=100")).json()) as { items: Image[] };
    expect(list.items.some(({ id }) => id === image.id)).toBe(visibility === "public");
    for (const way of ["/s3?image=diary.jpg", `/i/${image.id}?w=64`])
      expect([
        way,
        await pollUntil(
          10_000,
          () => status(way),
          (code) => code === expected,
        ),
      ]).toEqual([way, expected]);
  }
  expect((await ann.send("DELETE", path)).status).toBe(202);
  expect(
    await pollUntil(
      10_000,
      () => status("/s3?image=diary.jpg"),
      (code) => code === 404,
    ),
  ).toBe(404);
});
