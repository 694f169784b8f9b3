import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import {
  type Image,
  type User,
  pollUntil,
  send,
  signIn,
  upload,
  waitForIngest,
} from "./api-calls.ts";

// A camera's HEIC: a grid of tiles, turned by a property of the file. Its quarters are blue and red above white and green.

let stage: Stage;
let ann: User;
const bytes = new Uint8Array(
  readFileSync(join(import.meta.dirname, "../../../packages/imaging/test/heif/grid-rotated.heic")),
);

beforeAll(async () => {
  stage = await openStage();
  ann = await signIn(stage.local, 0);
});

afterAll(() => stage?.stop());

/** The corners of a picture with 90 × 120 pixels, as red, green and blue that are on or off. */
async function cornersOf(answer: Response): Promise<string[]> {
  const picture = sharp(Buffer.from(await answer.arrayBuffer()));
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const inset = 5;
  const at = (x: number, y: number) => {
    const pixel = (y * info.width + x) * info.channels;
    return [...data.subarray(pixel, pixel + 3)].map((value) => (value > 127 ? 1 : 0)).join("");
  };
  const [right, bottom] = [info.width - inset, info.height - inset];
  return [at(inset, inset), at(right, inset), at(inset, bottom), at(right, bottom)];
}

async function putImage(): Promise<Image> {
  await ann.send("PUT", "/s3?image=put.heic", bytes, { "content-type": "image/heic" });
  const list = async () => {
    const answer = await ann.send("GET", "/v1/me/images?limit=100");
    return ((await answer.json()) as { items: Image[] }).items;
  };
  const found = (images: Image[]) =>
    images.find(({ name, state }) => name === "put.heic" && state === "ready");
  return found(await pollUntil(30_000, list, (images) => found(images) !== undefined))!;
}

async function postImage(): Promise<Image> {
  const answer = await ann.send("POST", "/v1/images", bytes, { "content-type": "image/heif" });
  return waitForIngest(stage.local, ((await answer.json()) as Image).id);
}

async function postForm(): Promise<Image> {
  const { image } = await upload(ann, bytes, { type: "image/heic", name: "form.heic" });
  return waitForIngest(stage.local, image.id);
}

test.each([
  ["a form", postForm],
  ["POST /v1/images", postImage],
  ["PUT /s3", putImage],
])("a HEIC that comes by %s is delivered in every format", async (_, bring) => {
  const { id, rev, ...image } = await bring();
  expect(image).toMatchObject({ state: "ready", type: "image/heic", width: 90, height: 120 });
  for (const query of ["", "?f=jpeg", "?w=45&f=webp", "?w=60&f=avif", "?w=300&up=1&f=png"]) {
    const answer = await send(stage.local, "GET", `/i/${id}/${rev}${query}`);
    expect([query, answer.status]).toEqual([query, 200]);
    expect([query, await cornersOf(answer)]).toEqual([query, ["001", "100", "111", "010"]]);
  }
  if (!image.name) return;
  const published = await pollUntil(
    10_000,
    () => send(stage.local, "GET", `/s3?image=${image.name}`),
    ({ status }) => status === 200,
  );
  expect(published.headers.get("content-type")).toBe("image/jpeg");
  expect(await cornersOf(published)).toEqual(["001", "100", "111", "010"]);
});
