import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import {
  type UploadForm,
  type Image,
  type User,
  postForm,
  send,
  waitForIngest,
  signIn,
  upload,
  pollUntil,
} from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let ann: User;
let bo: User;
let anns: Image;

beforeAll(async () => {
  stage = await openStage();
  [ann, bo] = await Promise.all([signIn(stage.local, 0), signIn(stage.local, 1)]);
  const { image } = await upload(ann, new Uint8Array(await sampleJpeg(640, 480)));
  anns = await waitForIngest(stage.local, image.id);
});

afterAll(() => stage?.stop());

/** Asserts that a response is problem+json and returns it. */
async function problem(answer: Response) {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const body = (await answer.json()) as {
    status: number;
    code: string;
    requestId: string;
    detail?: string;
  };
  expect(body.status).toBe(answer.status);
  expect(body.requestId).toBe(answer.headers.get("x-amzn-requestid"));
  return body;
}

/** A PNG whose header claims `side` × `side` pixels of one bit: a few kilobytes that decode to gigabytes. */
function bomb(side: number) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((side / 8 + 1) * side), { level: 9 });
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("IDAT", rows),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  let crc = 0xffffffff;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, body, sum]);
}

const thin = () =>
  sharp({ create: { width: 1, height: 60_000, channels: 3, background: "#888" } })
    .png()
    .toBuffer();

test.each([
  ["a text file with the extension .jpg", async () => Buffer.from("this is not an image"), /not/],
  [
    "a truncated JPEG",
    async () => (await sampleJpeg(1200, 800)).subarray(0, 30_000),
    /end|trunc|cut|incomplete/i,
  ],
  ["an image of 1 × 60,000 pixels", thin, /60[,.]?000|side/],
  ["a decompression bomb", async () => bomb(16_000), /pixel|side/],
])("%s is rejected with the reason and leaves nothing behind", async (_, make, reason) => {
  const name = `bad-${Math.random().toString(36).slice(2)}.jpg`;
  const { image, stored } = await upload(ann, new Uint8Array(await make()), { name });
  expect(stored.status).toBe(201);

  const settledImage = await waitForIngest(stage.local, image.id);
  expect(settledImage).toMatchObject({ state: "rejected", reason: { code: expect.any(String) } });
  expect(settledImage.reason?.detail).toMatch(reason);

  expect((await send(stage.local, "GET", `/s3?image=${name}`)).status).toBe(404);
  expect((await send(stage.local, "GET", `/i/${image.id}`)).status).toBe(404);
  // the state is written first, then the name is released
  const type = "image/jpeg";
  const good = new Uint8Array(await sampleJpeg(64, 64));
  const ask = () => ann.send("POST", "/v1/uploads", { name, type, bytes: good.length });
  const again = await pollUntil(5_000, ask, ({ status }) => status === 201);
  expect(again.status).toBe(201);
  const { upload: form } = (await again.json()) as UploadForm;
  expect((await postForm(form, good, type)).status).toBe(201);
});

test("the gateway rejects a missing token, a wrong token and an access token", async () => {
  const tokens = [
    undefined,
    "Bearer nonsense",
    `Bearer ${ann.idToken.slice(0, -3)}AAA`,
    `Bearer ${ann.accessToken}`,
  ];
  for (const token of tokens) {
    const headers: Record<string, string> = token ? { authorization: token } : {};
    const answer = await send(
      stage.local,
      "POST",
      "/v1/uploads",
      { type: "image/jpeg", bytes: 1 },
      headers,
    );
    expect(answer.status).toBe(401);
    expect(await problem(answer)).toMatchObject({
      code: expect.stringMatching(/unauthenticated|unauthorized/i),
    });
  }
});

test("another user's image cannot be changed or deleted", async () => {
  const etag = (await send(stage.local, "GET", `/v1/images/${anns.id}`)).headers.get("etag")!;
  const changed = await bo.send(
    "PATCH",
    `/v1/images/${anns.id}`,
    { title: "mine" },
    { "if-match": etag },
  );
  expect([403, 404]).toContain(changed.status);
  await problem(changed);
  const deleted = await bo.send("DELETE", `/v1/images/${anns.id}`);
  expect([403, 404]).toContain(deleted.status);
  await problem(deleted);
  expect((await send(stage.local, "GET", `/v1/images/${anns.id}`)).status).toBe(200);
});

test.each(["../secret", "..%2fsecret", "a%2Fb", "%F0%9F%90%9F.jpg", "..", "%2e%2e", "a%00b"])(
  "the name %s reaches nothing outside the published images",
  async (name) => {
    const answer = await send(stage.local, "GET", `/s3?image=${name}`);
    expect([400, 404]).toContain(answer.status);
    await problem(answer);
  },
);

test.each(["../x.jpg", "a/b.jpg", "🐟.jpg", "", "x".repeat(200)])(
  "an upload with the name %j is rejected",
  async (name) => {
    const answer = await ann.send("POST", "/v1/uploads", { name, type: "image/jpeg", bytes: 10 });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await problem(answer))).toContain("name");
  },
);

test("the API, S3 and the gateway reject a body over their limits", async () => {
  const tooLarge = await ann.send("POST", "/v1/uploads", {
    type: "image/jpeg",
    bytes: 501 * 1024 * 1024,
  });
  expect(tooLarge.status).toBe(413);
  expect((await problem(tooLarge)).detail).toMatch(/500 MiB/);
  const asForm = await ann.send("POST", "/v1/uploads", {
    type: "image/jpeg",
    bytes: 17 * 1024 * 1024,
    method: "form",
  });
  expect(asForm.status).toBe(413);
  expect((await problem(asForm)).detail).toMatch(/16 MiB/);

  const created = await ann.send("POST", "/v1/uploads", { type: "image/jpeg", bytes: 1_000 });
  const { upload: form, image } = (await created.json()) as Awaited<ReturnType<typeof upload>>;
  const stored = await postForm(form, new Uint8Array(2_000), "image/jpeg");
  expect(stored.status).toBe(400);
  expect(await stored.text()).toContain("EntityTooLarge");
  expect(
    ((await (await send(stage.local, "GET", `/v1/images/${image.id}`)).json()) as Image).state,
  ).toBe("pending");

  const whole = await ann.send("POST", "/v1/images", new Uint8Array(11 * 1024 * 1024), {
    "content-type": "image/jpeg",
  });
  expect(whole.status).toBe(413);
});

test("S3 takes a form with any content type, because the bytes decide", async () => {
  const created = await ann.send("POST", "/v1/uploads", { type: "image/jpeg", bytes: 1_000 });
  const { upload: form } = (await created.json()) as Awaited<ReturnType<typeof upload>>;
  const changed = { ...form, fields: { ...form.fields, "Content-Type": "image/jpg" } };
  expect((await postForm(changed, new Uint8Array(10), "image/jpg")).status).toBe(201);
});

test.each([
  ["/i/ID/REV?w=640&colour=red", /colour/],
  ["/i/ID/REV?w=640&w=320", /w/],
  ["/i/ID/REV?w=0", /w.*1.*4096|1.*4096/],
  ["/i/ID/REV?f=bmp", /avif/],
  ["/v1/images?limit=0", /limit/],
  ["/v1/images?limit=abc", /limit/],
  ["/v1/images?page=2", /page/],
  ["/v1/images?cursor=forged", /cursor/],
])("GET %s is 400 and names the wrong value", async (path, names) => {
  const answer = await send(
    stage.local,
    "GET",
    path.replace("ID", anns.id).replace("REV", anns.rev!),
  );
  expect(answer.status).toBe(400);
  expect(JSON.stringify(await problem(answer))).toMatch(names);
});

test.each([
  "/v1/images/img_00000000000000000000000000",
  "/i/img_00000000000000000000000000/0123456789ab",
  "/s3?image=none.jpg",
])("GET %s is 404 as problem+json", async (path) => {
  const answer = await send(stage.local, "GET", path);
  expect(answer.status).toBe(404);
  await problem(answer);
});

test("a like needs a user and an image", async () => {
  const anonymous = await send(stage.local, "PUT", `/v1/images/${anns.id}/like`);
  expect(anonymous.status).toBe(401);
  const missing = await ann.send("PUT", "/v1/images/img_00000000000000000000000000/like");
  expect(missing.status).toBe(404);
  await problem(missing);
});
