import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import * as Bucket from "@balde/core/bucket";
import * as Dynamo from "@balde/core/dynamo";
import * as Image from "@balde/core/image";
import * as ImageRow from "@balde/core/image.row";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import * as SignedUrl from "@balde/core/signed-url";
import sharp from "sharp";
import { Resource } from "sst/resource";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as, pendingImage } from "../../../core/test/samples.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { counting } from "../../test/counting.ts";
import { ready } from "../../test/ready.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import type { DeliveryResponse } from "./delivery-response.ts";
import { serveImage } from "./serve-image.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let picture: { id: Image.Info["id"]; rev: string };
beforeAll(async () => {
  cloud = await startCloud();
  picture = await ready(await photo(1400, 900).jpeg({ quality: 95 }).toBuffer());
});
afterAll(() => cloud.stop());

const browser = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const host = "api.example";
const wish = (query: string, more: Partial<DeliveryRequest> = {}): DeliveryRequest => {
  const pairs = [...new URLSearchParams(query)].map(([key, value]) => [key, [value]]);
  return {
    host,
    id: picture.id,
    rev: picture.rev,
    preset: undefined,
    query: Object.fromEntries(pairs),
    isHead: false,
    accept: browser,
    ifNoneMatch: undefined,
    range: undefined,
    ifRange: undefined,
    ...more,
  };
};

/** The answer with its body read and its copy stored. */
async function answered(query: string, more: Partial<DeliveryRequest> = {}) {
  const given = await serveImage(wish(query, more));
  const body = await bodyOf(given);
  await given.afterSent?.();
  return { status: given.status, headers: given.headers, body };
}

const bodyOf = async ({ body = Buffer.alloc(0) }: DeliveryResponse) =>
  Buffer.isBuffer(body) ? body : buffer(body);

async function derived() {
  const { Contents = [] } = await cloud.s3.send(
    new ListObjectsV2Command({ Bucket: Resource.Images.name, Prefix: `derived/${picture.id}/` }),
  );
  return Contents.map(({ Key }) => Key!);
}

test.each([
  [browser, "image/avif", "heif"],
  ["image/webp,*/*", "image/webp", "webp"],
  ["*/*", "image/jpeg", "jpeg"],
  [undefined, "image/jpeg", "jpeg"],
])("who accepts %s gets %s, 640 pixels wide", async (accept, type, format) => {
  const { status, headers, body } = await answered("w=640", { accept });
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    "Content-Type": type,
    "Content-Length": String(body.length),
    "Cache-Control": "public, max-age=31536000, immutable",
    Vary: "Accept",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
  });
  expect(await sharp(body).metadata()).toMatchObject({ format, width: 640, height: 411 });
});

test("the second request is answered from the bucket, with the same bytes and without a pixel", async () => {
  const first = await answered("w=321");
  expect(first.headers["Server-Timing"]).toMatch(/find;dur=.*stored;dur=.*read;dur=.*render;dur=/);
  const second = await answered("w=321");
  expect(second.headers["Server-Timing"]).not.toContain("render");
  expect(second.body.equals(first.body)).toBe(true);
  const { "Server-Timing": _, ...lasting } = first.headers;
  expect(second.headers).toMatchObject(lasting);
});

test.each([
  ["png", "w=3000&up=1&f=png"],
  ["jpeg", "w=4000&up=1&f=jpeg"],
])(
  "a large %s leaves while it is being made, for each who waits for it, and is stored whole",
  async (format, query) => {
    const start = performance.now();
    const [given, other] = await Promise.all([serveImage(wish(query)), serveImage(wish(query))]);
    // of what is not finished nobody knows the length
    expect(given.headers).not.toHaveProperty("Content-Length");
    let first: number | undefined;
    const pieces: Buffer[] = [];
    const others = bodyOf(other);
    for await (const piece of given.body as Readable) {
      first ??= performance.now() - start;
      pieces.push(piece as Buffer);
    }
    const last = performance.now() - start;
    await given.afterSent?.();
    // made whole and then sent, its first byte would come near the last
    expect(first! / last).toBeLessThan(0.5);

    const body = Buffer.concat(pieces);
    expect((await sharp(body).metadata()).format).toBe(format);
    expect(body.equals(await others)).toBe(true);
    const stored = await answered(query);
    expect(stored.headers).toHaveProperty("Content-Length", String(body.length));
    expect(stored.body.equals(body)).toBe(true);
  },
);

test("a part or the length of a large picture waits for all of it", async () => {
  const part = await answered("w=2001&up=1&f=png", { range: "bytes=-100" });
  expect([part.status, part.body.length]).toEqual([206, 100]);
  const length = await answered("w=2002&up=1&f=png", { isHead: true });
  const whole = await answered("w=2002&up=1&f=png");
  expect(length.headers["Content-Length"]).toBe(String(whole.body.length));
});

test("every spelling of one wish is one stored picture", async () => {
  const before = await derived();
  await answered("w=200");
  await answered("dpr=2&w=100&fit=inside&q=auto");
  await answered("w=200&dl=mine");
  expect((await derived()).length).toBe(before.length + 1);
});

test("fifty who want the same at once have it rendered once", async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => answered("w=222")));
  expect(new Set(all.map(({ headers }) => headers["ETag"])).size).toBe(1);
  const renders = all.filter(({ headers }) => headers["Server-Timing"]?.includes("render"));
  expect(renders.length).toBe(1);
});

test("who has it already is told so before the bucket is asked", async () => {
  const { headers } = await answered("w=333");
  const before = { ...process.env };
  process.env["SST_RESOURCE_Images"] = "nowhere";
  const again = await answered("w=333", { ifNoneMatch: headers["ETag"] });
  Object.assign(process.env, before);
  expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  expect(again.headers).toMatchObject({
    ETag: headers["ETag"],
    "Cache-Control": headers["Cache-Control"],
    Vary: "Accept",
  });
  expect((await answered("w=334", { ifNoneMatch: headers["ETag"] })).status).toBe(200);
});

test("HEAD says what GET would, made or not", async () => {
  const first = await answered("w=345", { isHead: true });
  const second = await answered("w=345", { isHead: true });
  const got = await answered("w=345");
  for (const head of [first, second])
    for (const name of ["Content-Type", "Content-Length", "ETag", "Cache-Control"])
      expect(head.headers[name]).toBe(got.headers[name]);
});

test("a part of it, from the bucket or freshly made", async () => {
  const before = (await derived()).length;
  const fresh = await answered("w=355", { range: "bytes=10-19" });
  const { body } = await answered("w=355");
  const stored = await answered("w=355", { range: "bytes=10-19" });
  for (const part of [fresh, stored]) {
    expect(part.status).toBe(206);
    expect(part.headers).toMatchObject({
      "Content-Range": `bytes 10-19/${body.length}`,
      "Content-Length": "10",
    });
    expect(part.body.equals(body.subarray(10, 20))).toBe(true);
  }
  for (const query of ["w=355", "w=356"])
    await expect(answered(query, { range: "bytes=99999999-" })).rejects.toMatchObject({
      name: "RangeNotSatisfiable",
      size: expect.any(Number),
    });
  expect((await answered("w=355", { range: "bytes=0-1", ifRange: '"other"' })).status).toBe(200);
  // made for a part that it does not have, and stored all the same
  expect((await derived()).length).toBe(before + 2);
});

test("without a revision it is the newest, for a minute", async () => {
  const { headers } = await answered("w=640", { rev: undefined });
  expect(headers["Cache-Control"]).toBe("public, max-age=60, must-revalidate");
});

test("a preset is its query, stored once with it, and the request's own keys come before it", async () => {
  const preset = await answered("", { preset: "tile" });
  const spelled = await answered("w=90&h=60&fit=cover&f=webp");
  expect(preset.body.equals(spelled.body)).toBe(true);
  expect(preset.headers["ETag"]).toBe(spelled.headers["ETag"]);
  expect(preset.headers["Vary"]).toBeUndefined();
  const { headers, body } = await answered("dpr=2&f=jpeg", { preset: "tile" });
  expect(headers["Content-Type"]).toBe("image/jpeg");
  expect(await sharp(body).metadata()).toMatchObject({ width: 180, height: 120 });
});

test("a preset that is not there is not found, and those that are there are named", async () => {
  await expect(serveImage(wish("", { preset: "poster" }))).rejects.toMatchObject({
    kind: "not_found",
    code: "delivery.no_such_preset",
    detail: expect.stringMatching(/"poster".*presets are tile/),
  });
});

test("whose a picture is leaves with it when asked for, though the rung that it is made from does not know", async () => {
  const told = { IFD0: { Copyright: "2026 Ana Example", Make: "SECRET" } };
  const { id, rev } = await ready(await photo(1400, 900).withExif(told).jpeg().toBuffer());
  const plain = await answered("w=300&f=webp", { id, rev });
  const kept = await answered("w=300&f=webp&meta=copyright", { id, rev });
  expect(plain.body.includes("Ana Example")).toBe(false);
  expect(kept.body.includes("2026 Ana Example")).toBe(true);
  expect(kept.body.includes("SECRET")).toBe(false);
  expect(kept.headers["ETag"]).not.toBe(plain.headers["ETag"]);
});

test("a name makes it a download", async () => {
  const { headers } = await answered("w=100&dl=cat", { accept: "*/*" });
  expect(headers["Content-Disposition"]).toMatch(/^attachment; filename="cat.jpg"/);
});

test.each([
  ["another revision", { rev: "0123456789ab" }, "image.no_such_revision"],
  ["an image that never was", { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV" }, "image.not_found"],
  ["no id at all", { id: "../../etc/passwd" }, "image.not_found"],
])("%s is not found", async (_, more, code) => {
  await expect(serveImage(wish("w=10", more))).rejects.toMatchObject({ kind: "not_found", code });
});

test("what is still prepared says so, and is there as soon as it is ready", async () => {
  const { id } = await pendingImage();
  await expect(serveImage(wish("", { id, rev: undefined }))).rejects.toMatchObject({
    code: "image.not_ready",
    retryAfterSeconds: 1,
  });
});

test("a private picture is nobody's who has no signature", async () => {
  const { id } = await ready(await photo(40, 30).jpeg().toBuffer());
  await ImageRow.update({ id, set: { visibility: "private" } });
  await expect(serveImage(wish("", { id, rev: undefined }))).rejects.toMatchObject({
    code: "image.not_found",
  });
});

/** The query of an address that its owner was given. */
async function signed(id: Image.Info["id"], query: Record<string, string>, seconds = 60) {
  const wishes = [{ query }];
  const { paths } = await as("ann", () => SignedUrl.create({ id, host, seconds, wishes }));
  return new URL(paths[0]!, "https://a.b").search.slice(1);
}

test("whoever has a signed address of a private picture gets it, and no cache in between keeps it", async () => {
  const { id, rev } = await ready(await photo(400, 300).jpeg().toBuffer());
  await as("ann", () => Image.update({ id, visibility: "private" }));
  const query = await signed(id, { w: "100", f: "webp" });
  const { status, headers, body } = await answered(query, { id, rev });
  expect([status, (await sharp(body).metadata()).width]).toEqual([200, 100]);
  const [, age] = /^private, max-age=(\d+), must-revalidate$/.exec(headers["Cache-Control"]!)!;
  expect(Number(age)).toBeGreaterThan(50);
  expect(Number(age)).toBeLessThanOrEqual(60);
  const again = await answered(query, { id, rev, ifNoneMatch: headers["ETag"] });
  expect([again.status, again.headers["Cache-Control"]]).toEqual([
    304,
    expect.stringMatching(/^private, max-age=\d+, must-revalidate$/),
  ]);

  const turned = query.split("&").toReversed().join("&");
  expect((await answered(turned, { id, rev })).status).toBe(200);
  expect((await answered(turned, { id, rev, isHead: true })).status).toBe(200);
  const wrong = { kind: "not_found", code: "delivery.signature_wrong" };
  for (const [other, more] of [
    [query.replace("w=100", "w=101"), {}],
    [query.replace("w=100", "w=0100"), {}],
    [`${query}&q=50`, {}],
    [query, { rev: undefined }],
    [query, { id: picture.id, rev: picture.rev }],
    [query, { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV" }],
    [query, { host: "other.example" }],
    [query, { preset: "tile" }],
    [query.replace(/exp=\d/, "exp=2"), {}],
    [query.replace("kid=k2", "kid=k1"), {}],
  ] as const)
    await expect(serveImage(wish(other, { id, rev, ...more }))).rejects.toMatchObject(wrong);
});

test("an address ends when it said, also for who has the picture already", async () => {
  const { id, rev } = picture;
  const query = await signed(id, { w: "120" }, 1);
  const { headers } = await answered(query);
  expect(headers["Cache-Control"]).toMatch(/^public, max-age=[01], must-revalidate$/);
  await sleep(1_100);
  await expect(
    serveImage(wish(query, { id, rev, ifNoneMatch: headers["ETag"] })),
  ).rejects.toMatchObject({ kind: "not_found", code: "delivery.signature_expired" });
});

test("a deleted picture is gone within seconds", async () => {
  const { id, rev } = await ready(await photo(40, 30).jpeg().toBuffer());
  expect((await answered("w=20", { id, rev })).status).toBe(200);
  await as("ann", () => Image.remove(id));
  await sleep(2_100);
  await expect(serveImage(wish("w=20", { id, rev }))).rejects.toMatchObject({
    code: "image.not_found",
  });
});

/** A picture of which strangers had as many made as they may. */
async function spent() {
  const made = await ready(await photo(2100, 1400).jpeg().toBuffer());
  for (let plan = 0; plan < RenderLease.MAX_PLANS_PER_IMAGE - 1; plan++)
    await RenderLease.acquire({ imageId: made.id, plan: `plan${plan}`, needsBudget: true });
  return made;
}
const sized = async ({ body }: { body: Buffer }) => {
  const { width, height } = await sharp(body).metadata();
  return [width, height];
};

test("when its budget is spent, sizes of a picture are rounded up, and the answer says what it shows", async () => {
  const made = await spent();
  const last = await answered("w=333&f=webp", made);
  const rounded = await answered("dl=x&w=334&f=webp", made);
  expect([await sized(last), await sized(rounded)]).toEqual([
    [333, 222],
    [480, 320],
  ]);
  expect(last.headers).not.toHaveProperty("Content-Location");
  expect(rounded.headers).toMatchObject({
    "Content-Location": "?w=480&f=webp&dl=x",
    "Cache-Control": "public, max-age=86400",
  });
  const same = await answered("w=480&f=webp", made);
  expect(same.headers["Server-Timing"]).not.toContain("render");
  expect(same.headers["ETag"]).toBe(rounded.headers["ETag"]);
  const known = await answered("w=334&f=webp", { ...made, ifNoneMatch: same.headers["ETag"] });
  expect([known.status, known.headers["Content-Location"]]).toEqual([304, "?w=480&f=webp"]);

  // what was made in time stays as it is, also when its copy has expired
  await Bucket.removeByPrefix(ObjectKey.allDerived(made.id, made.rev));
  expect(await sized(await answered("w=333&f=webp", made))).toEqual([333, 222]);
});

test("for what the budget refuses nothing is read, once that is known", async () => {
  const made = await spent();
  const before = process.env["AWS_ENDPOINT_URL_S3"]!;
  const store = await counting(before);
  process.env["AWS_ENDPOINT_URL_S3"] = store.url;
  try {
    await answered("w=333&f=webp", made);
    await answered("w=334&f=webp", made);
    const read = store.bytes("/ladder/");
    expect(read).toBeGreaterThan(0);
    expect(await sized(await answered("w=335&f=webp", made))).toEqual([480, 320]);
    expect(store.bytes("/ladder/")).toBe(read);
  } finally {
    process.env["AWS_ENDPOINT_URL_S3"] = before;
    await store.stop();
  }
});

test("presets, the grid, its own size and signed addresses need no budget", async () => {
  const made = await spent();
  const query = await signed(made.id, { w: "335", blur: "2" });
  for (const [text, more, size] of [
    ["", { preset: "tile" }, [90, 60]],
    ["dpr=2&f=jpeg", { preset: "tile" }, [180, 120]],
    ["w=320&dpr=2&f=webp", {}, [640, 427]],
    ["w=2100&f=webp", {}, [2100, 1400]],
    [query, {}, [335, 223]],
  ] as const) {
    const { headers, body } = await answered(text, { ...made, ...more });
    expect(await sized({ body })).toEqual(size);
    expect(headers).not.toHaveProperty("Content-Location");
  }
  // none of them was counted: one is left
  expect(await sized(await answered("w=333", made))).toEqual([333, 222]);
  expect((await answered("w=334", made)).headers["Content-Location"]).toBe("?w=480");
  const denser = await answered("dpr=1.5", { ...made, preset: "tile" });
  expect(denser.headers["Content-Location"]).toBe("?dpr=2");
  await expect(answered("w=334&blur=2", made)).rejects.toMatchObject({
    code: "delivery.budget_spent",
    problems: [{ key: "blur", value: "2" }],
  });
});

test("a budget that cannot be read costs nobody his picture", async () => {
  const made = await ready(await photo(400, 300).jpeg().toBuffer());
  await Dynamo.put({ item: { pk: `MADE#${made.id}`, sk: "BUDGET", plans: "no set" } });
  expect((await answered("w=22", made)).status).toBe(200);
});

test("what is asked for often is made again, better, and takes the place of the first one", async () => {
  const { id, rev } = await ready(await photo(1400, 900).jpeg().toBuffer());
  const get = (more: Partial<DeliveryRequest> = {}) =>
    answered("w=1280&f=avif", { id, rev, ...more });
  const first = await get();
  await sleep(11_000);
  let now = await get();
  for (let asked = 0; asked < 2_000 && now.headers["ETag"] === first.headers["ETag"]; asked++)
    now = await get();
  expect(now.headers["ETag"]).not.toBe(first.headers["ETag"]);
  expect(now.body.length).toBeLessThan(first.body.length);
  expect(await sharp(now.body).metadata()).toMatchObject({ format: "heif", width: 1280 });
  expect(now.headers["Content-Length"]).toBe(String(now.body.length));

  const better = now.headers["ETag"]!;
  const head = await get({ isHead: true });
  expect([head.headers["ETag"], head.headers["Content-Length"]]).toEqual([
    better,
    String(now.body.length),
  ]);
  // who has either of the two has the picture
  for (const ETag of [better, first.headers["ETag"]!])
    expect(await get({ ifNoneMatch: ETag })).toMatchObject({ status: 304, headers: { ETag } });
  // but a part of one is no part of the other
  const range = "bytes=100-199";
  const part = await get({ range, ifRange: better });
  expect([part.status, part.body]).toEqual([206, now.body.subarray(100, 200)]);
  for (const lost of [range, `bytes=${now.body.length}-`]) {
    const whole = await get({ range: lost, ifRange: first.headers["ETag"] });
    expect([whole.status, whole.headers["ETag"], whole.body]).toEqual([200, better, now.body]);
  }
});

test("a rung that is missing costs time, not the answer", async () => {
  const { id, rev } = await ready(await photo(1400, 900).jpeg().toBuffer());
  await Bucket.removeByPrefix(ObjectKey.rungs(id, rev));
  const { body } = await answered("w=300", { id, rev });
  expect((await sharp(body).metadata()).width).toBe(300);
});

test("what shows through still does for who knows neither AVIF nor WebP", async () => {
  const disc = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><circle cx="450" cy="450" r="300"/></svg>',
  );
  const { id, rev } = await ready(await sharp(disc).png({ compressionLevel: 0 }).toBuffer());
  const { headers, body } = await answered("w=200", { id, rev, accept: "*/*" });
  expect(headers["Content-Type"]).toBe("image/png");
  expect((await sharp(body).stats()).isOpaque).toBe(false);
});
