import { readFileSync } from "node:fs";

import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";

import { renderRequest } from "../test/render-request.ts";
import { difference, gif } from "../test/samples.ts";
import { Query, type Request } from "./request.ts";

// What each query parameter does to a photograph.

const koi = readFileSync("tools/start/pictures/koi.jpg");
const renderKoi = async (request: Request, bytes: Buffer | Promise<Buffer> = koi) =>
  renderRequest(await bytes, { f: "png", ...request });
const size = async (request: Request) => {
  const { width, height } = (await renderKoi(request)).metadata;
  return [width, height];
};
const png = (change: (picture: Sharp) => Sharp, bytes: Buffer = koi) =>
  change(sharp(bytes)).png().toBuffer();
const pixel = async (bytes: Buffer) => [
  ...(await sharp(bytes).extract({ left: 0, top: 0, width: 1, height: 1 }).raw().toBuffer()),
];

/** Mean difference of neighbouring pixels: lower after blur, higher after sharpening. */
async function detail(bytes: Buffer) {
  const { data, info } = await sharp(bytes).grayscale().raw().toBuffer({ resolveWithObject: true });
  let sum = 0;
  for (let at = 1; at < data.length; at++)
    if (at % info.width) sum += Math.abs(data[at]! - data[at - 1]!);
  return sum / data.length;
}

test("w: sets the width", async () => {
  expect(await size({ w: 321 })).toEqual([321, 241]);
});

test("h: sets the height", async () => {
  expect(await size({ h: 100 })).toEqual([133, 100]);
});

test("ar: gives the shape, with the other side or the largest part", async () => {
  const { width: wide, height: high } = (await sharp(koi).metadata()) as {
    width: number;
    height: number;
  };
  expect(wide / high).toBeCloseTo(4 / 3, 2);
  expect(await size({ w: 320, ar: "16:9" })).toEqual([320, 180]);
  expect(await size({ w: 160, ar: "16/9", dpr: 2 })).toEqual([320, 180]);
  expect(await size({ h: 180, ar: "1.91:1" })).toEqual([344, 180]);
  expect(await size({ ar: "1:1" })).toEqual([high, high]);
  expect(await size({ ar: "2:1" })).toEqual([wide, wide / 2]);
  expect(await size({ ar: "2:1", fit: "contain" })).toEqual([high * 2, high]);
  expect(await size({ ar: "1:1", rot: 90 })).toEqual([high, high]);
  const box = { x: 0, y: 0, w: 300, h: 100 };
  expect(await size({ ar: "2:1", crop: box })).toEqual([200, 100]);
  // as the same box by its sides
  const [byRatio, bySides] = [{ w: 320, ar: "16:9" }, { w: 320, h: 180, fit: "cover" } as const];
  expect((await renderKoi(byRatio)).data.equals((await renderKoi(bySides)).data)).toBe(true);
});

test.each([
  [{ w: 320, h: 180, ar: "16:9" }, "beside w and h"],
  [{ w: 320, ar: "16:9", fit: "inside" }, "cover, contain or fill"],
] as const)("ar: %o is refused", async (request, reason) => {
  await expect(renderKoi(request)).rejects.toMatchObject({
    code: "delivery.invalid_query",
    message: expect.stringContaining(reason),
  });
});

test("dpr: multiplies the CSS pixels", async () => {
  expect(await size({ w: 160, dpr: 1.5 })).toEqual([240, 180]);
});

test("fit: decides how the picture fills the box", async () => {
  const box = { w: 200, h: 200 };
  expect(await size(box)).toEqual([200, 150]);
  expect(await size({ ...box, fit: "outside" })).toEqual([267, 200]);
  const squares = (["cover", "contain", "fill"] as const).map((fit) => renderKoi({ ...box, fit }));
  const [cover, contain, fill] = (await Promise.all(squares)).map(({ data }) => data);
  const [left, whole] = [34, 267];
  const middle = await png((picture) =>
    picture.resize(whole, 200, { fit: "fill" }).extract({ left, top: 0, width: 200, height: 200 }),
  );
  expect(await difference(cover!, middle)).toBeLessThan(2);
  const squeezed = await png((picture) => picture.resize(200, 200, { fit: "fill" }));
  expect(await difference(fill!, squeezed)).toBeLessThan(2);
  expect(await pixel(contain!)).toEqual([255, 255, 255]);
});

test("pos: decides which part a cover keeps", async () => {
  const at = async (pos: Request["pos"]) =>
    (await renderKoi({ w: 100, h: 200, fit: "cover", ...(pos && { pos }) })).data;
  const cropped = (left: number) =>
    png((picture) =>
      picture.resize(267, 200, { fit: "fill" }).extract({ left, top: 0, width: 100, height: 200 }),
    );
  expect(await difference(await at("left"), await cropped(0))).toBeLessThan(2);
  expect(await difference(await at("right"), await cropped(167))).toBeLessThan(2);
  expect(await difference(await at({ x: 0.4, y: 0.5 }), await cropped(57))).toBeLessThan(2);
  expect((await at("attention")).equals(await at(undefined))).toBe(false);
  expect((await at("entropy")).equals(await at("attention"))).toBe(false);
});

test("crop: delivers that part of the image", async () => {
  const { data } = await renderKoi({ crop: { x: 100, y: 50, w: 120, h: 90 } });
  const part = await png((picture) =>
    picture.extract({ left: 100, top: 50, width: 120, height: 90 }),
  );
  expect(await difference(data, part)).toBeLessThan(1);
});

test("rot: rotates clockwise", async () => {
  const [plain, turned] = await Promise.all([
    renderKoi({ w: 300 }),
    renderKoi({ h: 300, rot: 90 }),
  ]);
  const expected = await png((picture) => picture.rotate(90), plain.data);
  expect(await difference(turned.data, expected)).toBeLessThan(1);
});

test("flip: mirrors the picture", async () => {
  const [plain, mirrored] = await Promise.all([
    renderKoi({ w: 300 }),
    renderKoi({ w: 300, flip: "h" }),
  ]);
  expect(
    await difference(mirrored.data, await png((picture) => picture.flop(), plain.data)),
  ).toBeLessThan(1);
});

test("up: allows a picture larger than the image", async () => {
  const { width, height } = await sharp(koi).metadata();
  expect(await size({ w: 2000 })).toEqual([width, height]);
  expect(await size({ w: 2000, up: true })).toEqual([2000, Math.round((2000 * height) / width)]);
});

test("trim: removes a border of one colour", async () => {
  const framed = await png((picture) =>
    picture.extend({ top: 30, left: 50, right: 20, background: "#305080" }),
  );
  const { metadata } = await renderKoi({ trim: 10 }, framed);
  const { width, height } = await sharp(koi).metadata();
  expect([metadata.width, metadata.height]).toEqual([width, height]);
});

test("bg: fills the space around the image", async () => {
  const { data } = await renderKoi({ w: 200, h: 200, fit: "contain", bg: "ff8000" });
  expect(await pixel(data)).toEqual([255, 128, 0]);
});

test("blur: reduces detail", async () => {
  const [plain, blurred] = await Promise.all([
    renderKoi({ w: 300 }),
    renderKoi({ w: 300, blur: 3 }),
  ]);
  expect(await detail(blurred.data)).toBeLessThan((await detail(plain.data)) / 2);
});

test("sharpen: increases detail", async () => {
  const [plain, sharper] = await Promise.all([
    renderKoi({ w: 300 }),
    renderKoi({ w: 300, sharpen: 1.5 }),
  ]);
  expect(await detail(sharper.data)).toBeGreaterThan((await detail(plain.data)) * 1.2);
});

test("blur and sharpen are both applied when both are requested", async () => {
  const [blurred, both] = await Promise.all([
    renderKoi({ w: 300, blur: 1 }),
    renderKoi({ w: 300, blur: 1, sharpen: 3 }),
  ]);
  expect(await detail(both.data)).toBeGreaterThan((await detail(blurred.data)) * 1.2);
});

const patch = (rgb: [number, number, number], depth: 8 | 16 = 8) => {
  const raw = Array.from({ length: 64 }, () => rgb).flat();
  const pixels = depth === 8 ? Uint8Array.from(raw) : Uint16Array.from(raw, (value) => value * 257);
  return sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
    .toColourspace(depth === 8 ? "srgb" : "rgb16")
    .png()
    .toBuffer();
};

// computed from https://www.w3.org/TR/filter-effects-1/#supported-filter-functions
test.each<[Request, [number, number, number]]>([
  [{ bri: 0, con: 0, sat: 0 }, [200, 100, 50]],
  [{ bri: 20 }, [240, 120, 60]],
  [{ bri: -50 }, [100, 50, 25]],
  [{ bri: 100 }, [255, 200, 100]],
  [{ bri: -100 }, [0, 0, 0]],
  [{ con: 50 }, [236, 86, 11]],
  [{ con: -100 }, [128, 128, 128]],
  [{ sat: -100 }, [118, 118, 118]],
  [{ sat: 50 }, [241, 91, 16]],
  [{ bri: 20, con: -50 }, [184, 124, 94]],
])("bri, con, sat: %o of one colour", async (request, expected) => {
  for (const depth of [8, 16] as const) {
    const { data } = await renderKoi({ w: 4, ...request }, patch([200, 100, 50], depth));
    const seen = await pixel(data);
    for (const [at, value] of expected.entries())
      expect(Math.abs(seen[at]! - value), `${depth} bits: ${seen.join()}`).toBeLessThanOrEqual(1);
  }
});

test("bri, con, sat: transparency, gray pictures and frames", async () => {
  const seeThrough = sharp({
    create: { width: 8, height: 8, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 0.5 } },
  })
    .png()
    .toBuffer();
  const change = { w: 4, bri: 20, con: 20, sat: 20 };
  const alpha = (await pixel((await renderKoi(change, seeThrough)).data))[3];
  expect(alpha).toBe(128);
  const gray = sharp(await patch([100, 100, 100]))
    .toColourspace("b-w")
    .png()
    .toBuffer();
  expect(await pixel((await renderKoi({ w: 4, bri: 50, sat: 50 }, gray)).data)).toEqual([
    150, 150, 150,
  ]);
  const movie = gif(60, 40, ["red", "lime", "blue"]);
  const { metadata } = await renderKoi({ f: "webp", sat: -100, bri: 10 }, movie);
  expect(metadata.pages).toBe(3);
});

test("bri: a background keeps its colour", async () => {
  const bars = await renderKoi({ w: 200, h: 200, fit: "contain", bg: "ff8000", bri: -50 });
  expect(await pixel(bars.data)).toEqual([255, 128, 0]);
  const nothing = { r: 0, g: 0, b: 0, alpha: 0 };
  const empty = sharp({ create: { width: 8, height: 8, channels: 4, background: nothing } }).png();
  const { data } = await renderKoi({ f: "jpeg", bri: -50 }, empty.toBuffer());
  expect(await pixel(data)).toEqual([255, 255, 255]);
});

test("gray: removes the colour", async () => {
  const [red, green, blue] = (
    await sharp((await renderKoi({ w: 300, gray: true })).data)
      .toColourspace("srgb")
      .stats()
  ).channels;
  expect([green?.mean, blue?.mean]).toEqual([red?.mean, red?.mean]);
  expect(await size({ w: 300, gray: true })).toEqual([300, 225]);
});

test("anim: delivers every frame, or only the first", async () => {
  const movie = gif(60, 40, ["red", "lime", "blue"]);
  expect((await renderKoi({ f: "webp" }, movie)).metadata.pages).toBe(3);
  expect((await renderKoi({ f: "webp", anim: false }, movie)).metadata.pages).toBeUndefined();
});

test("f: sets the output format", async () => {
  const types = (["avif", "webp", "jpeg", "png", "gif"] as const).map(
    async (f) => (await renderKoi({ w: 90, f })).metadata.mediaType,
  );
  expect(await Promise.all(types)).toEqual([
    "image/avif",
    "image/webp",
    "image/jpeg",
    "image/png",
    "image/gif",
  ]);
});

test("q: a higher quality gives a larger file in each lossy format", async () => {
  for (const f of ["avif", "webp", "jpeg", "png"] as const) {
    const lengths = await Promise.all(
      [20, 60, 100].map(async (q) => (await renderKoi({ w: 320, f, q })).data.length),
    );
    expect(new Set(lengths).size).toBe(3);
    expect(lengths).toEqual(lengths.toSorted((one, other) => one - other));
  }
});

test("q: lossless keeps every pixel, as a PNG of the same size does", async () => {
  const movie = gif(60, 40, ["red", "lime"]);
  const cases: [Request["f"], "webp" | "heif" | "png", Buffer | Promise<Buffer>, boolean][] = [
    ["webp", "webp", koi, false],
    ["avif", "heif", koi, false],
    ["auto", "webp", koi, true],
    ["auto", "png", koi, false],
    ["webp", "webp", movie, false],
  ];
  for (const [f, format, bytes, webp] of cases) {
    const request = { w: 320, f, q: "lossless" } as const;
    const { data, metadata } = await renderRequest(await bytes, request, { avif: true, webp });
    const { data: png } = await renderKoi({ w: 320, anim: false }, bytes);
    expect([f, metadata.format]).toEqual([f, format]);
    expect(await difference(data, png)).toBe(0);
  }
});

test("q: lossless is refused for formats that have no such mode", async () => {
  for (const f of ["jpeg", "gif"] as const)
    await expect(renderKoi({ f, q: "lossless" })).rejects.toMatchObject({
      code: "delivery.invalid_query",
      message: expect.stringContaining("webp, avif, png"),
    });
});

test("meta: writes the credit only when it is requested", async () => {
  const credit = { copyright: "2026 Ana Example" };
  const hasCredit = async (request: Request) =>
    (
      await renderRequest(koi, { f: "jpeg", w: 90, ...request }, undefined, { credit })
    ).data.includes(credit.copyright);
  expect(await hasCredit({})).toBe(false);
  expect(await hasCredit({ meta: "copyright" })).toBe(true);
});

test("dl: does not change the pixels", async () => {
  const [plain, named] = await Promise.all([renderKoi({ w: 90 }), renderKoi({ w: 90, dl: "koi" })]);
  expect(named.data.equals(plain.data)).toBe(true);
});

test("every query parameter has a test in this file", () => {
  const text = readFileSync(import.meta.filename, "utf8");
  expect(
    Object.keys(Query.shape).filter(
      (key) => !new RegExp(`\n(test\\(|\\]\\)\\()"(\\w+, )*${key}(, \\w+)*: `).test(text),
    ),
  ).toEqual([]);
});
