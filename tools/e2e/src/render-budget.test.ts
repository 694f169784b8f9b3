import { createClient } from "@balde/client";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Image, send, waitForIngest, signIn, upload } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let client: ReturnType<typeof createClient>;
let image: Image;

beforeAll(async () => {
  stage = await openStage();
  const ann = await signIn(stage.local, 0);
  client = createClient(stage.local.api, { token: ann.idToken });
  const sent = await upload(ann, new Uint8Array(await sampleJpeg(900, 600, 51)));
  image = await waitForIngest(stage.local, sent.image.id);
});

afterAll(() => stage?.stop());

const get = (query: string, more = "") =>
  send(stage.local, "GET", `/i/${image.id}/${image.rev}${more}?${query}`);
const width = async (answer: Response) =>
  (await sharp(await answer.arrayBuffer()).metadata()).width;

test("unsigned requests get 64 plans of an image, then sizes of the grid; signed requests get all", async () => {
  for (let first = 161; first < 161 + 64; first += 8) {
    const some = Array.from({ length: 8 }, (_, index) => first + index);
    const made = await Promise.all(some.map(async (w) => width(await get(`w=${w}&f=jpeg`))));
    expect(made).toEqual(some);
  }
  const rounded = await get("w=225&f=jpeg");
  expect(rounded.headers.get("content-location")).toBe("?w=256&f=jpeg");
  const there = await fetch(new URL(rounded.headers.get("content-location")!, rounded.url));
  expect(there.headers.get("etag")).toBe(rounded.headers.get("etag"));
  expect([await width(rounded), await width(there)]).toEqual([256, 256]);
  expect(await width(await get("w=161&f=jpeg"))).toBe(161);

  const refused = await get("w=320&blur=9&bg=fff");
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { code: "delivery.budget_spent", errors: [{ parameter: "bg" }, { parameter: "blur" }] },
  ]);

  expect(await width(await get("", "/thumb"))).toBe(160);
  expect(await width(await get("w=640"))).toBe(640);
  const { urls } = await client.urls(image, [{ w: 226, blur: 9 }]);
  expect(await width(await fetch(urls[0]!))).toBe(226);
});
