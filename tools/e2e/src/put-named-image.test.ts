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

const put = (person: User, name: string, bytes: Uint8Array, type = "image/jpeg") =>
  person.send("PUT", `/s3?image=${encodeURIComponent(name)}`, new Uint8Array(bytes), {
    "content-type": type,
  });

const published = (name: string) => send(stage.local, "GET", `/s3?image=${name}`);

/** The person's newest image, once ingest has decided about it; the `known` ones are older. */
async function decided(person: User, known: Image[]): Promise<Image> {
  const images = await pollUntil(
    30_000,
    () => listed(person),
    (images) =>
      images.length > known.length &&
      images.every(({ state }) => state === "ready" || state === "rejected"),
  );
  const image = images.find(({ id }) => !known.some((older) => older.id === id));
  if (!image) throw new Error("no image came of it");
  return image;
}

async function listed(person: User): Promise<Image[]> {
  const answer = await person.send("GET", "/v1/me/images?limit=100");
  return ((await answer.json()) as { items: Image[] }).items;
}

test("a picture that is put under a name gets an id and its owner, and is published under the name", async () => {
  const known = await listed(ann);
  const answer = await put(ann, "named-1.jpg", await sampleJpeg(800, 600, 11));
  expect([answer.status, await answer.json()]).toEqual([202, { state: "pending" }]);
  expect(new URL(answer.headers.get("location")!, answer.url).href).toBe(
    `${stage.local.api}/v1/me/images`,
  );

  const image = await decided(ann, known);
  expect(image).toMatchObject({ state: "ready", name: "named-1.jpg", width: 800, height: 600 });
  const open = await published("named-1.jpg");
  expect(open.status).toBe(200);
  const bytes = Buffer.from(await open.arrayBuffer());
  expect(await sharp(bytes).metadata()).toMatchObject({ format: "jpeg", width: 800 });
  const small = await send(stage.local, "GET", `/i/${image.id}?w=100&f=png`);
  expect(small.status).toBe(200);
});

test("a name that is somebody's already ends as a rejected image that says so; the first picture stays", async () => {
  await put(ann, "named-2.jpg", await sampleJpeg(320, 240, 12));
  await pollUntil(
    30_000,
    () => published("named-2.jpg"),
    ({ status }) => status === 200,
  );
  const before = Buffer.from(await (await published("named-2.jpg")).arrayBuffer());
  const known = await listed(bo);
  expect((await put(bo, "named-2.jpg", await sampleJpeg(640, 480, 13))).status).toBe(202);
  const image = await decided(bo, known);
  expect(image).toMatchObject({ state: "rejected", reason: { code: "name.taken" } });
  const after = Buffer.from(await (await published("named-2.jpg")).arrayBuffer());
  expect(after.equals(before)).toBe(true);
});

test("a name that waits for another's form upload is taken as well", async () => {
  await bo.send("POST", "/v1/uploads", { type: "image/jpeg", bytes: 1000, name: "named-3.jpg" });
  const known = await listed(ann);
  await put(ann, "named-3.jpg", await sampleJpeg(64, 64, 14));
  expect(await decided(ann, known)).toMatchObject({
    state: "rejected",
    reason: { code: "name.taken" },
  });
  expect((await published("named-3.jpg")).status).toBe(404);
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
  ["a text that says it is a picture", "text.jpg", async () => Buffer.from("no picture"), /not/],
  ["a decompression bomb", "bomb.png", bomb, /pixels/],
  ["nothing at all", "empty.jpg", async () => Buffer.alloc(0), /./],
  ["a name with two dots", "..", () => sampleJpeg(64, 64, 15), /name/],
  ["a name that climbs", "../../images/x.jpg", () => sampleJpeg(64, 64, 16), /name/],
  ["a name with a fish", "a🐟.jpg", () => sampleJpeg(64, 64, 17), /name/],
])(
  "%s ends as a rejected image of its owner, and nothing is published",
  async (_, name, bytes, why) => {
    const known = await listed(ann);
    const type = name.endsWith(".png") ? "image/png" : "image/jpeg";
    expect((await put(ann, name, await bytes(), type)).status).toBe(202);
    const image = await decided(ann, known);
    expect(image).toMatchObject({
      state: "rejected",
      reason: { detail: expect.stringMatching(why) },
    });
    expect((await published(encodeURIComponent(name))).status).toBe(404);
  },
);

test.each([
  ["text/plain", 415, "upload.unsupported_type"],
  ["application/json", 415, "upload.unsupported_type"],
  ["application/octet-stream", 415, "upload.unsupported_type"],
  ["image/heic", 415, "upload.unsupported_type"],
])("sent as %s it is not even stored", async (type, status, code) => {
  const known = await listed(ann);
  const answer = await put(ann, "typed.jpg", await sampleJpeg(64, 64, 18), type);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(await answer.json()).toMatchObject({
    status,
    code,
    requestId: answer.headers.get("x-amzn-requestid"),
  });
  expect(await listed(ann)).toEqual(known);
});

test("it takes a token, a name, and at most 10 MB", async () => {
  const { local } = stage;
  const bytes = new Uint8Array(await sampleJpeg(64, 64, 19));
  const picture = { "content-type": "image/jpeg" };
  expect((await send(local, "PUT", "/s3?image=x.jpg", bytes, picture)).status).toBe(401);
  expect((await ann.send("PUT", "/s3", bytes, picture)).status).toBe(400);
  const large = new Uint8Array(10_485_761);
  expect((await ann.send("PUT", "/s3?image=x.jpg", large, picture)).status).toBe(413);
});

test("an upload that came with a form keeps its name against one that comes past the API", async () => {
  const { image } = await upload(bo, new Uint8Array(await sampleJpeg(64, 64, 20)), {
    name: "named-4.jpg",
  });
  await pollUntil(
    30_000,
    () => published("named-4.jpg"),
    ({ status }) => status === 200,
  );
  const known = await listed(ann);
  await put(ann, "named-4.jpg", await sampleJpeg(64, 64, 21));
  expect((await decided(ann, known)).reason).toMatchObject({ code: "name.taken" });
  expect((await bo.send("DELETE", `/v1/images/${image.id}`)).status).toBe(202);
});

test("of several at once under one name, one is published; what still waits is never written over", async () => {
  const pictures = await Promise.all(
    [22, 23, 24, 25, 26].map((seed) => sampleJpeg(200, 150, seed)),
  );
  const answers = await Promise.all(pictures.map((bytes) => put(ann, "named-5.jpg", bytes)));
  const stored = answers.filter(({ status }) => status === 202);
  for (const answer of answers.filter(({ status }) => status !== 202)) {
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ status: 409, code: "upload.waiting" });
  }
  const named = await pollUntil(
    30_000,
    async () => (await listed(ann)).filter(({ name }) => name === "named-5.jpg"),
    (images) =>
      images.length === stored.length &&
      images.every(({ state }) => state === "ready" || state === "rejected"),
  );
  expect(named.filter(({ state }) => state === "ready")).toHaveLength(1);
  expect(named).toHaveLength(stored.length);
  expect((await published("named-5.jpg")).status).toBe(200);
});
