import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import * as Bucket from "@balde/core/bucket";
import * as Image from "@balde/core/image";
import * as ImageRow from "@balde/core/image.row";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import * as SignedUrl from "@balde/core/signed-url";
import sharp from "sharp";
import { Resource } from "sst/resource";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as, pendingImage } from "../../../core/test/samples.ts";
import { disc, photo } from "../../../imaging/test/samples.ts";
import { withS3Proxy } from "../../test/s3-proxy.ts";
import { deliveryRequest, readyImage, served } from "../../test/samples.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import type { DeliveryResponse } from "./delivery-response.ts";
import { serveImage } from "./serve-image.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let image: { id: Image.Info["id"]; rev: string };
beforeAll(async () => {
  cloud = await startCloud();
  image = await readyImage(await photo(1400, 900).jpeg({ quality: 95 }).toBuffer());
});
afterAll(() => cloud.stop());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The clock of signatures and of the bucket shows a later time; timers are real. */
const advanceClock = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

const request = (query: string, more: Partial<DeliveryRequest> = {}) =>
  deliveryRequest(image, query, more);
const get = (query: string, more: Partial<DeliveryRequest> = {}) => served(request(query, more));

/** An image that no other test knows. */
const newImage = async (width: number, height: number) =>
  readyImage(await photo(width, height).jpeg().toBuffer());

const bodyOf = async ({ body = Buffer.alloc(0) }: DeliveryResponse) =>
  Buffer.isBuffer(body) ? body : buffer(body);

const sizeOf = async ({ body }: { body: Buffer }) => {
  const { width, height } = await sharp(body).metadata();
  return [width, height];
};

async function derivatives() {
  const { Contents = [] } = await cloud.s3.send(
    new ListObjectsV2Command({ Bucket: Resource.Images.name, Prefix: `derived/${image.id}/` }),
  );
  return Contents.map(({ Key }) => Key!).filter((key) => !key.includes("/by-request/"));
}

test.each([
  [request("").accept, "image/avif", "heif"],
  ["image/webp,*/*", "image/webp", "webp"],
  ["*/*", "image/jpeg", "jpeg"],
  [undefined, "image/jpeg", "jpeg"],
])("a client that accepts %s gets %s, 640 pixels wide", async (accept, type, format) => {
  const { status, headers, body } = await get("w=640", { accept });
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

test("the second response comes from the bucket, with the same bytes and headers and without a render", async () => {
  const first = await get("w=321");
  expect(first.headers["Server-Timing"]).toMatch(/find;dur=.*stored;dur=.*read;dur=.*render;dur=/);
  const second = await get("w=321");
  expect(second.headers["Server-Timing"]).not.toContain("render");
  expect(second.body.equals(first.body)).toBe(true);
  const { "Server-Timing": _, ...lasting } = first.headers;
  expect(second.headers).toMatchObject(lasting);
});

let attempts = 0;
test.each([
  ["png", "w=2400&up=1&f=png"],
  ["jpeg", "w=3600&up=1&f=jpeg"],
])(
  "a large %s is sent while it is rendered, to each client that waits for it, and is stored whole",
  // a machine that is busy with something else may read the first bytes late
  { retry: 3 },
  async (format, size) => {
    // a new picture each time
    const query = `${size}&bg=${(0xffff00 + attempts++).toString(16)}`;
    const start = performance.now();
    const [response, other] = await Promise.all([
      serveImage(request(query)),
      serveImage(request(query)),
    ]);
    // the length is not known before the last row is encoded
    expect(response.headers).not.toHaveProperty("Content-Length");
    let first: number | undefined;
    const chunks: Buffer[] = [];
    const others = bodyOf(other);
    for await (const chunk of response.body as Readable) {
      first ??= performance.now() - start;
      chunks.push(chunk as Buffer);
    }
    const last = performance.now() - start;
    await response.afterSent?.();
    // the first byte of an image that is rendered whole and then sent would come near the last
    expect(first! / last).toBeLessThan(0.5);

    const body = Buffer.concat(chunks);
    expect((await sharp(body).metadata()).format).toBe(format);
    expect(body.equals(await others)).toBe(true);
    const stored = await get(query);
    expect(stored.headers).toHaveProperty("Content-Length", String(body.length));
    expect(stored.body.equals(body)).toBe(true);
  },
);

test("a range or the length of a large image waits for all of it", async () => {
  const part = await get("w=1401&up=1&f=png", { range: "bytes=-100" });
  expect([part.status, part.body.length]).toEqual([206, 100]);
  const length = await get("w=1402&up=1&f=png", { isHead: true });
  const whole = await get("w=1402&up=1&f=png");
  expect(length.headers["Content-Length"]).toBe(String(whole.body.length));
});

test("queries with the same meaning share one stored derivative", async () => {
  const before = await derivatives();
  await get("w=200");
  await get("dpr=2&w=100&fit=inside&q=auto");
  await get("w=200&dl=mine");
  expect((await derivatives()).length).toBe(before.length + 1);
});

test("a client that has the image gets 304 without a request to the bucket", async () => {
  const { headers } = await get("w=333");
  const ETag = headers["ETag"]!;
  await withS3Proxy(async (s3) => {
    for (const ifNoneMatch of [ETag, `"x", W/${ETag}`, ETag.replace(/"$/, '-better"'), "*"]) {
      const response = await serveImage(request("w=333", { ifNoneMatch }));
      expect([response.status, response.body]).toEqual([304, undefined]);
      expect(response.headers).toMatchObject({
        ETag: ifNoneMatch.endsWith('-better"') ? ifNoneMatch : ETag,
        "Cache-Control": headers["Cache-Control"],
        "Content-Type": headers["Content-Type"],
        Vary: "Accept",
      });
    }
    expect(s3.requests()).toBe(0);
  });
  expect((await get("w=334", { ifNoneMatch: ETag })).status).toBe(200);
});

test("HEAD has the headers of GET, before and after the derivative is stored", async () => {
  const first = await get("w=345", { isHead: true });
  const got = await get("w=345");
  const second = await get("w=345", { isHead: true });
  expect(got.headers["Content-Length"]).toBe(String(got.body.length));
  expect(second.body.length).toBe(0);
  for (const head of [first, second])
    for (const name of ["Content-Type", "Content-Length", "ETag", "Cache-Control"])
      expect(head.headers[name]).toBe(got.headers[name]);
});

test("a range is answered from the bucket and from a fresh render alike", async () => {
  const before = (await derivatives()).length;
  const fresh = await get("w=355", { range: "bytes=10-19" });
  const { body } = await get("w=355");
  const stored = await get("w=355", { range: "bytes=10-19" });
  for (const part of [fresh, stored]) {
    expect(part.status).toBe(206);
    expect(part.headers).toMatchObject({
      "Content-Range": `bytes 10-19/${body.length}`,
      "Content-Length": "10",
    });
    expect(part.body.equals(body.subarray(10, 20))).toBe(true);
  }
  for (const query of ["w=355", "w=356"])
    await expect(get(query, { range: "bytes=99999999-" })).rejects.toMatchObject({
      name: "RangeNotSatisfiable",
      size: expect.any(Number),
    });
  // a render whose range was not satisfiable is stored all the same
  expect((await derivatives()).length).toBe(before + 2);
});

test("with If-Range, a range of another image is ignored, and so is one that does not apply", async () => {
  const { headers, body } = await get("w=355");
  const ETag = headers["ETag"]!;
  for (const [query, range, ifRange, status] of [
    ["w=355", "bytes=0-1", ETag, 206],
    ["w=355", "bytes=0-1", '"other"', 200],
    ["w=355", "bytes=0-1", `W/${ETag}`, 200],
    ["w=355", "bytes=0-1", "Wed, 21 Oct 2026 07:28:00 GMT", 200],
    ["w=355", `bytes=${body.length}-`, ETag, 200],
  ] as const)
    expect((await get(query, { range, ifRange })).status).toBe(status);

  // the same of fresh renders, of which a client cannot have the second encoding
  const fresh = async (w: number, ifRange: (tag: string) => string, range: string) => {
    const { headers } = await serveImage(request(`w=${w}`, { ifNoneMatch: "*" }));
    return (await get(`w=${w}`, { range, ifRange: ifRange(headers["ETag"]!) })).status;
  };
  expect(await fresh(357, (tag) => tag, "bytes=0-1")).toBe(206);
  expect(await fresh(358, (tag) => tag, "bytes=99999999-")).toBe(200);
  expect(await fresh(359, (tag) => tag.replace(/"$/, '-better"'), "bytes=0-1")).toBe(200);
});

test("without a revision the newest one is delivered, and cached for a minute", async () => {
  const { headers } = await get("w=640", { rev: undefined });
  expect(headers["Cache-Control"]).toBe("public, max-age=60, must-revalidate");
});

test("a preset and its query share one derivative, and the request's own keys override the preset", async () => {
  const preset = await get("", { preset: "tile" });
  const spelled = await get("w=90&h=60&fit=cover&f=webp");
  expect(preset.body.equals(spelled.body)).toBe(true);
  expect(preset.headers["ETag"]).toBe(spelled.headers["ETag"]);
  expect(preset.headers["Vary"]).toBeUndefined();
  const denser = await get("dpr=2&f=jpeg", { preset: "tile" });
  expect(denser.headers["Content-Type"]).toBe("image/jpeg");
  expect(await sizeOf(denser)).toEqual([180, 120]);
});

test("a preset that does not exist is not found, and the response names those that do", async () => {
  await expect(serveImage(request("", { preset: "poster" }))).rejects.toMatchObject({
    kind: "not_found",
    code: "delivery.no_such_preset",
    detail: expect.stringMatching(/"poster".*presets are tile/),
  });
});

test("meta=copyright keeps the copyright and nothing else, also when the source is a rung, which has no metadata", async () => {
  const exif = { IFD0: { Copyright: "2026 Ana Example", Make: "SECRET" } };
  const own = await readyImage(await photo(700, 450).withExif(exif).jpeg().toBuffer());
  const plain = await get("w=300&f=webp", own);
  const credited = await get("w=300&f=webp&meta=copyright", own);
  expect(plain.body.includes("Ana Example")).toBe(false);
  expect(credited.body.includes("2026 Ana Example")).toBe(true);
  expect(credited.body.includes("SECRET")).toBe(false);
  expect(credited.headers["ETag"]).not.toBe(plain.headers["ETag"]);
});

test("dl makes the response a download", async () => {
  const { headers } = await get("w=100&dl=cat", { accept: "*/*" });
  expect(headers["Content-Disposition"]).toMatch(/^attachment; filename="cat.jpg"/);
});

test.each([
  ["another revision", { rev: "0123456789ab" }, "image.no_such_revision"],
  ["an unknown id", { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV" }, "image.not_found"],
  ["a string that is no id", { id: "../../etc/passwd" }, "image.not_found"],
])("%s is not found", async (_, more, code) => {
  const response = serveImage(request("w=10", more));
  await expect(response).rejects.toMatchObject({ kind: "not_found", code });
});

test("f=json says what is known of the image, is cached as the image is, and costs no budget", async () => {
  const { status, headers, body } = await get("f=json");
  expect(status).toBe(200);
  expect(JSON.parse(body.toString())).toEqual({
    id: image.id,
    rev: image.rev,
    type: "image/jpeg",
    bytes: expect.any(Number),
    width: 1400,
    height: 900,
    frames: 1,
    hasAlpha: false,
    color: expect.stringMatching(/^#[0-9a-f]{6}$/),
    thumbhash: expect.any(String),
  });
  expect(headers).toMatchObject({
    "Content-Type": "application/json",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Access-Control-Allow-Origin": "*",
  });
  expect(headers).not.toHaveProperty("Vary");
  const again = await get("f=json", { ifNoneMatch: headers["ETag"] });
  expect([again.status, again.body.length]).toEqual([304, 0]);
  const other = await newImage(300, 200);
  for (let times = 0; times < 70; times++)
    expect((await served(deliveryRequest(other, "f=json"))).status).toBe(200);
  expect((await served(deliveryRequest(other, "w=123"))).headers).not.toHaveProperty(
    "Content-Location",
  );
});

test.each([
  ["f=json&w=100", {}, '"w" = "100"'],
  ["f=json", { rev: undefined, preset: "tile" }, "preset"],
])("%s with %o is refused", async (query, more, reason) => {
  await expect(serveImage(request(query, more))).rejects.toMatchObject({
    code: "delivery.invalid_query",
    message: expect.stringContaining(reason),
  });
});

test("an image that is still prepared is not ready, and the client is told when to ask again", async () => {
  const { id } = await pendingImage();
  await expect(serveImage(request("", { id, rev: undefined }))).rejects.toMatchObject({
    code: "image.not_ready",
    retryAfterSeconds: 1,
  });
});

test("without a signature a private image is not found", async () => {
  const { id } = await newImage(40, 30);
  await ImageRow.update({ id, set: { visibility: "private" } });
  await expect(serveImage(request("", { id, rev: undefined }))).rejects.toMatchObject({
    code: "image.not_found",
  });
});

/** The query of a signed URL. */
async function signed(id: Image.Info["id"], query: Record<string, string>, seconds = 60) {
  const { host } = request("");
  const { paths } = await as("ann", () =>
    SignedUrl.create({ id, host, seconds, urls: [{ query }] }),
  );
  return new URL(paths[0]!, "https://a.b").search.slice(1);
}

test("a signed URL delivers a private image, exactly as signed, and no shared cache keeps it", async () => {
  const { id, rev } = await newImage(400, 300);
  await as("ann", () => Image.update({ id, visibility: "private" }));
  const query = await signed(id, { w: "100", f: "webp" });
  const response = await get(query, { id, rev });
  const { headers } = response;
  expect([response.status, await sizeOf(response)]).toEqual([200, [100, 75]]);
  const [, age] = /^private, max-age=(\d+), must-revalidate$/.exec(headers["Cache-Control"]!)!;
  expect(Number(age)).toBeGreaterThan(50);
  expect(Number(age)).toBeLessThanOrEqual(60);
  const again = await get(query, { id, rev, ifNoneMatch: headers["ETag"] });
  expect([again.status, again.headers["Cache-Control"]]).toEqual([
    304,
    expect.stringMatching(/^private, max-age=\d+, must-revalidate$/),
  ]);

  const reordered = query.split("&").toReversed().join("&");
  expect((await get(reordered, { id, rev })).status).toBe(200);
  expect((await get(reordered, { id, rev, isHead: true })).status).toBe(200);
  const wrong = { kind: "not_found", code: "delivery.signature_wrong" };
  for (const [other, more] of [
    [query.replace("w=100", "w=101"), {}],
    [query.replace("w=100", "w=0100"), {}],
    [`${query}&q=50`, {}],
    [query, { rev: undefined }],
    [query, { id: image.id, rev: image.rev }],
    [query, { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV" }],
    [query, { host: "other.example" }],
    [query, { preset: "tile" }],
    [query.replace(/exp=\d/, "exp=2"), {}],
    [query.replace("kid=k2", "kid=k1"), {}],
  ] as const)
    await expect(serveImage(request(other, { id, rev, ...more }))).rejects.toMatchObject(wrong);
});

test("a signed URL expires, also for a client that has the image", async () => {
  const query = await signed(image.id, { w: "120" }, 5);
  const { headers } = await get(query);
  expect(headers["Cache-Control"]).toMatch(/^public, max-age=[45], must-revalidate$/);
  advanceClock(5_000);
  await expect(serveImage(request(query, { ifNoneMatch: headers["ETag"] }))).rejects.toMatchObject({
    kind: "not_found",
    code: "delivery.signature_expired",
  });
});

test("a deleted image is gone two seconds later, when its row is read again", async () => {
  const { id, rev } = await newImage(40, 30);
  expect((await get("w=20", { id, rev })).status).toBe(200);
  await as("ann", () => Image.remove(id));
  expect((await get("w=20", { id, rev })).status).toBe(200);
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + 2_100);
  await expect(serveImage(request("w=20", { id, rev }))).rejects.toMatchObject({
    code: "image.not_found",
  });
});

/** An image whose budget has room for one more plan. */
async function nearlySpent() {
  const own = await newImage(900, 600);
  const plans = Array.from(
    { length: RenderLease.MAX_PLANS_PER_IMAGE - 1 },
    (_, index) => `plan${index}`,
  );
  await Promise.all(
    plans.map((plan) => RenderLease.acquire({ imageId: own.id, plan, needsBudget: true })),
  );
  return own;
}

test("when the budget is spent, sizes are rounded up, and Content-Location says what the response shows", async () => {
  const own = await nearlySpent();
  const last = await get("w=333&f=webp", own);
  const rounded = await get("dl=x&w=334&f=webp", own);
  expect([await sizeOf(last), await sizeOf(rounded)]).toEqual([
    [333, 222],
    [384, 256],
  ]);
  expect(last.headers).not.toHaveProperty("Content-Location");
  expect(rounded.headers).toMatchObject({
    "Content-Location": "?w=384&f=webp&dl=x",
    "Cache-Control": "public, max-age=86400",
  });
  const same = await get("w=384&f=webp", own);
  expect(same.headers["Server-Timing"]).not.toContain("render");
  expect(same.headers["ETag"]).toBe(rounded.headers["ETag"]);
  const known = await get("w=334&f=webp", { ...own, ifNoneMatch: same.headers["ETag"] });
  expect([known.status, known.headers["Content-Location"]]).toEqual([304, "?w=384&f=webp"]);

  // a plan in the budget stays exact, also when its derivative has expired
  await Bucket.removeByPrefix(ObjectKey.derivativesPrefix(own.id));
  expect(await sizeOf(await get("w=333&f=webp", own))).toEqual([333, 222]);
});

test("once the budget is known to be spent, no source is read for another plan", async () => {
  const own = await nearlySpent();
  await withS3Proxy(async (s3) => {
    await get("w=333&f=webp", own);
    await get("w=334&f=webp", own);
    const read = s3.bytesRead("/ladder/");
    expect(read).toBeGreaterThan(0);
    expect(await sizeOf(await get("w=335&f=webp", own))).toEqual([384, 256]);
    expect(s3.bytesRead("/ladder/")).toBe(read);
  });
});

test("presets, the grid, the image's own size and signed URLs need no budget", async () => {
  const own = await nearlySpent();
  const query = await signed(own.id, { w: "335", blur: "2" });
  for (const [text, more, size] of [
    ["", { preset: "tile" }, [90, 60]],
    ["dpr=2&f=jpeg", { preset: "tile" }, [180, 120]],
    ["w=320&dpr=2&f=webp", {}, [640, 427]],
    ["w=900&f=webp", {}, [900, 600]],
    [query, {}, [335, 223]],
  ] as const) {
    const { headers, body } = await get(text, { ...own, ...more });
    expect(await sizeOf({ body })).toEqual(size);
    expect(headers).not.toHaveProperty("Content-Location");
  }
  // none of them was counted: there is still room for one
  expect(await sizeOf(await get("w=333", own))).toEqual([333, 222]);
  expect((await get("w=334", own)).headers["Content-Location"]).toBe("?w=384");
  const denser = await get("dpr=1.5", { ...own, preset: "tile" });
  expect(denser.headers["Content-Location"]).toBe("?dpr=2");
  await expect(get("w=334&blur=2", own)).rejects.toMatchObject({
    code: "delivery.budget_spent",
    problems: [{ key: "blur", value: "2" }],
  });
});

test("a derivative that is requested often is encoded again, and replaces the first one", async () => {
  const own = await newImage(700, 450);
  const avif = (more: Partial<DeliveryRequest> = {}) => get("w=640&f=avif", { ...own, ...more });
  const first = await avif();
  advanceClock(11_000);
  vi.spyOn(Math, "random").mockReturnValue(0);
  expect((await avif()).headers["ETag"]).toBe(first.headers["ETag"]);
  const now = await avif();
  expect(now.headers["ETag"]).not.toBe(first.headers["ETag"]);
  expect(now.body.length).toBeLessThan(first.body.length);
  expect(await sharp(now.body).metadata()).toMatchObject({ format: "heif", width: 640 });
  expect(now.headers["Content-Length"]).toBe(String(now.body.length));

  const reencoded = now.headers["ETag"]!;
  const head = await avif({ isHead: true });
  expect([head.headers["ETag"], head.headers["Content-Length"]]).toEqual([
    reencoded,
    String(now.body.length),
  ]);
  // a client that has either of the two has the image
  for (const ETag of [reencoded, first.headers["ETag"]!])
    expect(await avif({ ifNoneMatch: ETag })).toMatchObject({ status: 304, headers: { ETag } });
  // but a part of one is not a part of the other
  const range = "bytes=100-199";
  const part = await avif({ range, ifRange: reencoded });
  expect([part.status, part.body]).toEqual([206, now.body.subarray(100, 200)]);
  for (const lost of [range, `bytes=${now.body.length}-`]) {
    const whole = await avif({ range: lost, ifRange: first.headers["ETag"] });
    expect([whole.status, whole.headers["ETag"], whole.body]).toEqual([200, reencoded, now.body]);
  }
});

test("an image that is a thousand times as high as wide is delivered small", async () => {
  const tall = await readyImage(await photo(2, 4000).jpeg().toBuffer());
  for (const query of ["h=16", "h=250", "w=160&h=160", "h=1000"]) {
    const response = await served(deliveryRequest(tall, query));
    expect([query, response.status, (await sizeOf(response))[0]]).toEqual([query, 200, 1]);
  }
});

test("transparency is kept for a client that accepts neither AVIF nor WebP", async () => {
  const own = await readyImage(await disc(900, 900).png({ compressionLevel: 0 }).toBuffer());
  const { headers, body } = await get("w=200", { ...own, accept: "*/*" });
  expect(headers["Content-Type"]).toBe("image/png");
  expect((await sharp(body).stats()).isOpaque).toBe(false);
});
