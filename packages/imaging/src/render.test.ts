import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import * as fc from "fast-check";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";

import { renderRequest } from "../test/render-request.ts";
import { corners, difference, disc, gif, photo, quarters } from "../test/samples.ts";
import * as EncoderSettings from "./encoder-settings.ts";
import * as Ladder from "./ladder.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render, renderInto } from "./render.ts";
import type { Request } from "./request.ts";

const all = { avif: true, webp: true };
const none = { avif: false, webp: false };

let photoJpeg: Buffer;
let quartersPng: Buffer;
beforeAll(async () => {
  photoJpeg = await photo(640, 480).jpeg({ quality: 92 }).toBuffer();
  quartersPng = await quarters(600, 400).png().toBuffer();
});

test.each<[string, Request, string[]]>([
  [
    "cover keeps the left",
    { w: 100, h: 200, fit: "cover", pos: "left" },
    ["red", "red", "blue", "blue"],
  ],
  [
    "cover keeps the right",
    { w: 100, h: 200, fit: "cover", pos: "right" },
    ["green", "green", "white", "white"],
  ],
  [
    "cover keeps the top",
    { w: 300, h: 90, fit: "cover", pos: "top" },
    ["red", "green", "red", "green"],
  ],
  [
    "cover keeps a focal point",
    { w: 50, h: 200, fit: "cover", pos: { x: 0.9, y: 0.5 } },
    ["green", "green", "white", "white"],
  ],
  [
    "crop delivers that part",
    { crop: { x: 300, y: 0, w: 300, h: 200 } },
    ["green", "green", "green", "green"],
  ],
  [
    "crop comes before rotation",
    { crop: { x: 0, y: 0, w: 600, h: 200 }, rot: 90, w: 100 },
    ["red", "red", "green", "green"],
  ],
  [
    "contain fills the bars with bg",
    { w: 100, h: 200, fit: "contain", bg: "0000ff" },
    ["blue", "blue", "blue", "blue"],
  ],
  [
    "contain places the picture by pos",
    { w: 100, h: 200, fit: "contain", bg: "000000", pos: "top" },
    ["red", "green", "black", "black"],
  ],
  [
    "fill shows the whole image",
    { w: 100, h: 200, fit: "fill" },
    ["red", "green", "blue", "white"],
  ],
  [
    "cover of a rotated picture",
    { w: 200, h: 100, fit: "cover", pos: "top", rot: 90 },
    ["blue", "red", "blue", "red"],
  ],
])("%s", async (_, request, expected) => {
  const { data } = await renderRequest(quartersPng, { ...request, f: "png" });
  expect(await corners(data)).toEqual(expected);
});

test.each(["avif", "webp", "jpeg", "png", "gif"] as const)(
  "f=%s gives that format in exactly the planned size",
  async (f) => {
    const { metadata, contentType } = await renderRequest(photoJpeg, { w: 123, f });
    expect(metadata.mediaType).toBe(contentType);
    expect([metadata.width, metadata.height]).toEqual([123, 92]);
  },
);

test("the output of any request has exactly the planned size, from the original and from a rung", async () => {
  const rung = { width: 400, height: 300 };
  const small = await sharp(photoJpeg)
    .resize({ ...rung, fit: "fill" })
    .jpeg()
    .toBuffer();
  const edge = fc.integer({ min: 1, max: 300 });
  await fc.assert(
    fc.asyncProperty(
      fc.record(
        {
          w: edge,
          h: edge,
          fit: fc.constantFrom("cover", "contain", "fill", "inside", "outside"),
          pos: fc.constantFrom<Request["pos"]>("attention", "entropy", "bottom-right", {
            x: 0.3,
            y: 0.3,
          }),
          rot: fc.constantFrom(0, 90, 180, 270),
          crop: fc.constantFrom({ x: 1, y: 3, w: 637, h: 470 }, { x: 333, y: 101, w: 7, h: 300 }),
        },
        { requiredKeys: ["w"] },
      ),
      async (request: Request) => {
        const plan = Plan.plan(
          { ...request, f: "jpeg" },
          { width: 640, height: 480, format: "jpeg", hasAlpha: false, pages: 1 },
          none,
        );
        for (const [bytes, from] of [
          [photoJpeg, undefined],
          [small, rung],
        ] as const) {
          const { data } = await render(bytes, plan, from);
          const { width, height } = await sharp(data).metadata();
          expect([width, height]).toEqual([plan.width, plan.height]);
        }
      },
    ),
    { numRuns: 40, seed: 7 },
  );
});

test("transparency is kept where the format has it, else filled with white or bg", async () => {
  const bytes = await disc(200, 100).png().toBuffer();
  const renderDisc = async (request: Request) =>
    (await renderRequest(bytes, request, none, { hasAlpha: true })).data;
  expect((await sharp(await renderDisc({ w: 100 })).metadata()).hasAlpha).toBe(true);
  expect((await sharp(await renderDisc({ w: 100, f: "webp" })).metadata()).hasAlpha).toBe(true);
  expect(await corners(await renderDisc({ w: 100, f: "jpeg" }))).toEqual([
    "white",
    "white",
    "white",
    "white",
  ]);
  expect(await corners(await renderDisc({ w: 100, bg: "ff0000" }))).toEqual([
    "red",
    "red",
    "red",
    "red",
  ]);
});

test("trim removes the border before the layout", async () => {
  const bytes = await sharp(await quarters(200, 100).png().toBuffer())
    .extend({ top: 30, bottom: 10, left: 50, right: 20, background: "#000" })
    .png()
    .toBuffer();
  const { data, width, height } = await renderRequest(bytes, { trim: 10, w: 100, f: "png" });
  expect([width, height]).toEqual([100, 50]);
  expect(await corners(data)).toEqual(["red", "green", "blue", "white"]);
  expect((await sharp(data).metadata()).width).toBe(100);
});

test("trim of a drawing ends at its edge, which scaling has made soft", async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><circle cx="150" cy="110" r="80" fill="#1f6f8b"/></svg>';
  const { data, metadata } = await renderRequest(Buffer.from(svg), { trim: 10, f: "png" }, none, {
    hasAlpha: true,
  });
  // a soft edge is up to a pixel wider on each side; with the colour of its transparent pixels it was 168
  expect(metadata.width).toBeGreaterThanOrEqual(160);
  expect(metadata.width).toBeLessThanOrEqual(162);
  const { width, height } = metadata;
  const pixels = await sharp(data).ensureAlpha().raw().toBuffer();
  expect(pixels[(Math.floor(height / 2) * width + 1) * 4 + 3]).toBeGreaterThan(100);
});

test("trim keeps an image of one colour whole", async () => {
  const bytes = await sharp({ create: { width: 80, height: 60, channels: 3, background: "#777" } })
    .png()
    .toBuffer();
  const { width, height } = await renderRequest(bytes, { trim: 10 });
  expect([width, height]).toEqual([80, 60]);
});

test("an animation keeps its frames and delays, or delivers its first frame with anim=0", async () => {
  const bytes = await gif(60, 40, ["red", "lime", "blue"], 120);
  for (const [accepted, format] of [
    [all, "webp"],
    [none, "gif"],
  ] as const) {
    const { metadata } = await renderRequest(bytes, { w: 30 }, accepted);
    expect(metadata).toMatchObject({
      format,
      pages: 3,
      delay: [120, 120, 120],
      loop: 0,
      pageHeight: 20,
    });
  }
  const { metadata, data } = await renderRequest(bytes, { w: 30, anim: false });
  expect([metadata.format, metadata.pages]).toEqual(["jpeg", undefined]);
  expect(await corners(data)).toEqual(["red", "red", "red", "red"]);
  const cover = await renderRequest(bytes, { w: 20, h: 20, fit: "cover" }, all);
  expect(cover.metadata).toMatchObject({ width: 20, pageHeight: 20, pages: 3 });
});

test("an SVG itself is not drawn by a delivery", async () => {
  const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"/>');
  const source = { width: 20, height: 20, format: "svg", hasAlpha: true, pages: 1 } as const;
  const script = `
    import { render } from "./src/render.ts";
    import { plan } from "./src/plan.ts";
    const source = ${JSON.stringify(source)};
    await render(Buffer.from(${JSON.stringify(bytes.toString())}), plan({ w: 9 }, source, {}))
      .then(() => console.log("drawn"), ({ name, code }) => console.log(name, code));
  `;
  // another test of this process may have allowed SVG
  const args = ["--input-type=module-typescript", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: join(import.meta.dirname, ".."),
  });
  expect(stdout).toBe("Refusal image.damaged\n");
});

test("a small SVG is enlarged without blur", async () => {
  const bytes = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><path d="M0 0h10v20H0z"/></svg>',
  );
  const { data } = await renderRequest(bytes, { w: 400, up: true, f: "png" }, none, {
    hasAlpha: true,
  });
  const { data: pixels } = await sharp(data)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const alpha = (x: number) => pixels[(200 * 400 + x) * 4 + 3];
  // the edge of an enlarged 20 pixel bitmap would be blurred over some 20 pixels here
  expect([alpha(195), alpha(204)]).toEqual([255, 0]);
});

// of a JPEG only `prepare` notices that pixels are missing
const halfPng = async () => {
  const png = await photo(640, 480).png().toBuffer();
  return png.subarray(0, png.length / 2);
};

test("an image that is truncated behind its header is refused", async () => {
  const half = await halfPng();
  await expect(renderRequest(half, { w: 100 })).rejects.toMatchObject({
    name: "Refusal",
    kind: "unprocessable",
    code: "image.truncated",
  });
});

test("a rung and the original give the same size and nearly the same pixels", async () => {
  const bytes = await photo(1600, 1063).jpeg({ quality: 95 }).toBuffer();
  const { rungs } = await prepare(bytes, { namedCopy: false });
  for (const request of [
    { w: 300 },
    { w: 512 },
    { w: 641, h: 399, fit: "cover" as const },
    { w: 100, crop: { x: 801, y: 533, w: 700, h: 500 } },
  ]) {
    const plan = Plan.plan(
      { ...request, f: "png" },
      { width: 1600, height: 1063, format: "jpeg", hasAlpha: false, pages: 1 },
      none,
    );
    const rung = Ladder.choose(plan, { format: "jpeg" }, rungs);
    expect(rung).toBeDefined();
    const [a, b] = await Promise.all([render(bytes, plan), render(rung!.data, plan, rung!)]);
    expect([a.width, a.height]).toEqual([b.width, b.height]);
    expect(await difference(a.data, b.data)).toBeLessThan(6);
  }
});

test.each([
  ["png", 1500, true],
  ["png", 500, false],
  ["jpeg", 4000, true],
  ["jpeg", 1500, false],
  ["webp", 4000, false],
] as const)(
  "a %s of %i pixels across is written by rows: %s; the file equals the buffer",
  async (f, w, byRows) => {
    const plan = Plan.plan(
      { w, f, up: true },
      { width: 640, height: 480, format: "jpeg", hasAlpha: false, pages: 1 },
      none,
    );
    expect(EncoderSettings.isStreamedByRows(plan.encoding)).toBe(byRows);
    const folder = await mkdtemp(join(tmpdir(), "balde-render-"));
    const file = join(folder, "output");
    try {
      await renderInto(file, photoJpeg, plan);
      expect((await render(photoJpeg, plan)).data.equals(await readFile(file))).toBe(true);
      const { format, width } = await sharp(file).metadata();
      expect([format, width]).toEqual([f, w]);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test("a truncated image is refused when the output is a file", async () => {
  const plan = Plan.plan(
    { f: "png" },
    { width: 640, height: 480, format: "png", hasAlpha: false, pages: 1 },
    none,
  );
  const half = await halfPng();
  const file = join(tmpdir(), "balde-never-made");
  await expect(renderInto(file, half, plan)).rejects.toMatchObject({ code: "image.truncated" });
  await rm(file, { force: true });
});
