import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, type Local, openStage } from "./stage.ts";
import { type Image, send, waitForIngest, signIn, upload } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let keys: NonNullable<Local["keys"]>;
let image: Image;

beforeAll(async () => {
  stage = await openStage();
  if (!stage.local.keys) throw new Error("local.json names no API keys");
  keys = stage.local.keys;
  const ann = await signIn(stage.local, 0);
  const sent = await upload(ann, new Uint8Array(await sampleJpeg(320, 240, 31)));
  image = await waitForIngest(stage.local, sent.image.id);
});

afterAll(() => stage?.stop());

const get = (path: string, key?: string) =>
  send(stage.local, "GET", `/partner/v1${path}`, undefined, key ? { "x-api-key": key } : {});

test.each([
  ["no key", undefined],
  ["an unknown key", "0123456789abcdefghijklmnopqrstuvwxyz"],
])("a request with %s is rejected", async (_, key) => {
  for (const path of ["/images", `/images/${image.id}`]) {
    const answer = await get(path, key);
    expect(answer.status).toBe(403);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({
      status: 403,
      code: "gateway.invalid_api_key",
      requestId: answer.headers.get("x-amzn-requestid"),
    });
  }
});

test("a user's token does not replace a key", async () => {
  const ann = await signIn(stage.local, 0);
  expect((await ann.send("GET", "/partner/v1/images")).status).toBe(403);
});

test("a key reads public images, in pages", async () => {
  const one = await get(`/images/${image.id}`, keys.partner);
  expect([one.status, await one.json()]).toEqual([200, await open(`/images/${image.id}`)]);
  const page = await get("/images?limit=1", keys.partner);
  expect(await page.json()).toEqual(await open("/images?limit=1"));
  expect(page.headers.get("link")).toMatch(/\/partner\/v1\/images\?.*cursor=.*rel="next"/);
});

test("a key does not open routes that need more than a key", async () => {
  const headers = { "x-api-key": keys.partner };
  expect((await send(stage.local, "GET", "/v1/me", undefined, headers)).status).toBe(401);
  expect((await send(stage.local, "GET", "/partner/v1/me", undefined, headers)).status).toBe(403);
});

test("the rate limit and the quota of a plan are answered 429 and do not affect another plan", async () => {
  const refused = new Map<string, string | null>();
  const giveUp = Date.now() + 25_000;
  while (refused.size < 2 && Date.now() < giveUp) {
    const answers = await Promise.all(Array.from({ length: 40 }, () => get("/images", keys.trial)));
    for (const answer of answers) {
      if (answer.status === 200) continue;
      expect(answer.status).toBe(429);
      const { code } = (await answer.json()) as { code: string };
      refused.set(code, answer.headers.get("retry-after"));
    }
    // the token bucket fills again, so that the quota is reached next
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(Object.fromEntries(refused)).toEqual({
    "gateway.throttled": "1",
    "gateway.quota_exceeded": "3600",
  });
  expect((await get("/images", keys.partner)).status).toBe(200);
});

const open = async (path: string): Promise<unknown> =>
  (await send(stage.local, "GET", `/v1${path}`)).json();
