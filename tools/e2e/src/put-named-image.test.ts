import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Image, type User, send, signIn, upload, pollUntil } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let ann: User;
let bo: User;

beforeAll(async () => {
  stage = await openStage();
  [ann, bo] = await Promise.all([signIn(stage.local, 0), signIn(stage.local, 1)]);
});

afterAll(() => stage?.stop());

const put = (user: User, name: string, bytes: Uint8Array, type = "image/jpeg") =>
  user.send("PUT", `/s3?image=${encodeURIComponent(name)}`, new Uint8Array(bytes), {
    "content-type": type,
  });

const getPublished = (name: string) => send(stage.local, "GET", `/s3?image=${name}`);

/** Waits until ingest has finished and returns the image that is not in `known`. */
async function waitForNewImage(user: User, known: Image[]): Promise<Image> {
  const images = await pollUntil(
    30_000,
    () => listOwn(user),
    (images) =>
      images.length > known.length &&
      images.every(({ state }) => state === "ready" || state === "rejected"),
  );
  const image = images.find(({ id }) => !known.some((older) => older.id === id));
  if (!image) throw new Error("the upload did not become an image");
  return image;
}

async function listOwn(user: User): Promise<Image[]> {
  const answer = await user.send("GET", "/v1/me/images?limit=100");
  return ((await answer.json()) as { items: Image[] }).items;
}

test("an image that is put under a name gets an id and is published under the name", async () => {
  const known = await listOwn(ann);
  const answer = await put(ann, "named-1.jpg", await sampleJpeg(800, 600, 11));
  const { id, state } = (await answer.json()) as Image;
  expect([answer.status, state]).toEqual([202, "pending"]);
  expect(new URL(answer.headers.get("location")!, answer.url).href).toBe(
    `${stage.local.api}/v1/uploads/${id}`,
  );

  const image = await waitForNewImage(ann, known);
  expect(image.id).toBe(id);
  expect(image).toMatchObject({ state: "ready", name: "named-1.jpg", width: 800, height: 600 });
  const open = await getPublished("named-1.jpg");
  expect(open.status).toBe(200);
  const bytes = Buffer.from(await open.arrayBuffer());
  expect(await sharp(bytes).metadata()).toMatchObject({ format: "jpeg", width: 800 });
  const small = await send(stage.local, "GET", `/i/${image.id}?w=100&f=png`);
  expect(small.status).toBe(200);
});

test("an image with a taken name is rejected, and the first image stays", async () => {
  await put(ann, "named-2.jpg", await sampleJpeg(320, 240, 12));
  await pollUntil(
    30_000,
    () => getPublished("named-2.jpg"),
    ({ status }) => status === 200,
  );
  const before = Buffer.from(await (await getPublished("named-2.jpg")).arrayBuffer());
  const known = await listOwn(bo);
  expect((await put(bo, "named-2.jpg", await sampleJpeg(640, 480, 13))).status).toBe(202);
  const image = await waitForNewImage(bo, known);
  expect(image).toMatchObject({ state: "rejected", reason: { code: "name.taken" } });
  const after = Buffer.from(await (await getPublished("named-2.jpg")).arrayBuffer());
  expect(after.equals(before)).toBe(true);
});

test("a name that is reserved by an upload form is taken too", async () => {
  await bo.send("POST", "/v1/uploads", { type: "image/jpeg", bytes: 1000, name: "named-3.jpg" });
  const known = await listOwn(ann);
  await put(ann, "named-3.jpg", await sampleJpeg(64, 64, 14));
  expect(await waitForNewImage(ann, known)).toMatchObject({
    state: "rejected",
    reason: { code: "name.taken" },
  });
  expect((await getPublished("named-3.jpg")).status).toBe(404);
});

/** A small PNG whose header claims 3.6 gigapixels. */
async function bomb() {
  const background = "#888888";
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background } })
    .png()
    .toBuffer();
  png.writeUInt32BE(60_000, 16);
  png.writeUInt32BE(60_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

test.each([
  ["a text with an image type", "text.jpg", async () => Buffer.from("not an image"), /not/],
  ["a decompression bomb", "bomb.png", bomb, /pixels/],
  ["an empty body", "empty.jpg", async () => Buffer.alloc(0), /./],
  ["a name with two dots", "..", () => sampleJpeg(64, 64, 15), /name/],
  ["a name with path segments", "../../images/x.jpg", () => sampleJpeg(64, 64, 16), /name/],
  ["a name with an emoji", "a🐟.jpg", () => sampleJpeg(64, 64, 17), /name/],
])("%s is rejected and not published", async (_, name, bytes, why) => {
  const known = await listOwn(ann);
  const type = name.endsWith(".png") ? "image/png" : "image/jpeg";
  expect((await put(ann, name, await bytes(), type)).status).toBe(202);
  const image = await waitForNewImage(ann, known);
  expect(image).toMatchObject({
    state: "rejected",
    reason: { detail: expect.stringMatching(why) },
  });
  expect((await getPublished(encodeURIComponent(name))).status).toBe(404);
});

test.each(["image/jpg", "IMAGE/PNG; x=1", "image/x-icon", "application/octet-stream"])(
  "an image of the type %s is read, and its state is one request away",
  async (type) => {
    const name = `typed-${type.replaceAll(/\W/g, "-")}.jpg`;
    const answer = await put(ann, name, await sampleJpeg(64, 64, 30), type);
    expect(answer.status).toBe(202);
    const { id } = (await answer.json()) as Image;
    const ready = await pollUntil(
      30_000,
      async () => (await (await ann.send("GET", `/v1/me/images/${id}`)).json()) as Image,
      (image) => image.state === "ready",
    );
    expect(ready).toMatchObject({ type: "image/jpeg", name });
  },
);

test("the refusal of a text is found under the address of the answer", async () => {
  const answer = await put(ann, "refused.jpg", Buffer.from("not an image"));
  const address = new URL(answer.headers.get("location")!, answer.url).href;
  const upload = await pollUntil(
    30_000,
    async () =>
      (await (await ann.send("GET", address.slice(stage.local.api.length))).json()) as Image,
    ({ state }) => state === "rejected",
  );
  expect(upload.reason).toMatchObject({ code: "image.not_a_picture" });
});

test.each([
  ["text/plain", 415, "upload.unsupported_type"],
  ["application/json", 415, "upload.unsupported_type"],
  ["image/jpeg/x", 415, "upload.unsupported_type"],
  ["image/jpeg/name/x", 415, "upload.unsupported_type"],
  ["image/jpeg/", 415, "upload.unsupported_type"],
])("the type %s is rejected before it is stored", async (type, status, code) => {
  const known = await listOwn(ann);
  const answer = await put(ann, "typed.jpg", await sampleJpeg(64, 64, 18), type);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(await answer.json()).toMatchObject({
    status,
    code,
    requestId: answer.headers.get("x-amzn-requestid"),
  });
  expect(await listOwn(ann)).toEqual(known);
});

test("a put needs a token, a name and at most 10 MB", async () => {
  const { local } = stage;
  const bytes = new Uint8Array(await sampleJpeg(64, 64, 19));
  const asJpeg = { "content-type": "image/jpeg" };
  expect((await send(local, "PUT", "/s3?image=x.jpg", bytes, asJpeg)).status).toBe(401);
  expect((await ann.send("PUT", "/s3", bytes, asJpeg)).status).toBe(400);
  const large = new Uint8Array(10_485_761);
  expect((await ann.send("PUT", "/s3?image=x.jpg", large, asJpeg)).status).toBe(413);
});

test("an image from an upload form keeps its name when another is put under it", async () => {
  const { image } = await upload(bo, new Uint8Array(await sampleJpeg(64, 64, 20)), {
    name: "named-4.jpg",
  });
  await pollUntil(
    30_000,
    () => getPublished("named-4.jpg"),
    ({ status }) => status === 200,
  );
  const known = await listOwn(ann);
  await put(ann, "named-4.jpg", await sampleJpeg(64, 64, 21));
  expect((await waitForNewImage(ann, known)).reason).toMatchObject({ code: "name.taken" });
  expect((await bo.send("DELETE", `/v1/images/${image.id}`)).status).toBe(202);
});

test("of several concurrent puts under one name, one is published and no waiting upload is overwritten", async () => {
  const uploads = await Promise.all([22, 23, 24, 25, 26].map((seed) => sampleJpeg(200, 150, seed)));
  const answers = await Promise.all(uploads.map((bytes) => put(ann, "named-5.jpg", bytes)));
  const stored = answers.filter(({ status }) => status === 202);
  for (const answer of answers.filter(({ status }) => status !== 202)) {
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ status: 409, code: "upload.waiting" });
  }
  const named = await pollUntil(
    30_000,
    async () => (await listOwn(ann)).filter(({ name }) => name === "named-5.jpg"),
    (images) =>
      images.length === stored.length &&
      images.every(({ state }) => state === "ready" || state === "rejected"),
  );
  expect(named.filter(({ state }) => state === "ready")).toHaveLength(1);
  expect(named).toHaveLength(stored.length);
  expect((await getPublished("named-5.jpg")).status).toBe(200);
});
