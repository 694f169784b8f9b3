import { expect, test } from "vitest";

import { png } from "../test/hostile/bytes.ts";
import { frame, gif } from "../test/hostile/gif.ts";
import { sized as isoSized } from "../test/hostile/iso-boxes.ts";
import { heifSample } from "../test/heif-samples.ts";
import { inScans, profile, sized } from "../test/hostile/jpeg.ts";
import { svg } from "../test/hostile/svg.ts";
import { grey, tiff } from "../test/hostile/tiff.ts";
import { photo } from "../test/samples.ts";
import { identify } from "./identify.ts";
import * as Limits from "./limits.ts";
import * as Plan from "./plan.ts";
import type { Request } from "./request.ts";

// For each limit on uploads and outputs, one value at the limit and one above it. No pixels are decoded here.

const text = (body: string, attributes?: string) => Buffer.from(svg(body, attributes));
const jpeg = await photo(64, 48).jpeg().toBuffer();
const progressive = await photo(64, 48).jpeg({ progressive: true }).toBuffer();
const avif = await photo(64, 48).avif({ effort: 0 }).toBuffer();
const webp = await photo(64, 48).webp({ lossless: true }).toBuffer();
const padded = (bytes: Buffer, length: number) => Buffer.concat([bytes, Buffer.alloc(length)]);

/** Files whose header declares the given size; the pixel data belongs to a small image. */
const withDeclaredSize = {
  jpeg: (width, height) => padded(sized(jpeg, width, height), 200_000),
  png: (width, height) => png(width, height),
  webp: (width, height) => {
    const bytes = Buffer.from(webp);
    bytes.writeUInt32LE((((height - 1) << 14) | (width - 1)) >>> 0, 21);
    return bytes;
  },
  gif: (width, height) => gif(width, height, frame(width, height)),
  avif: (width, height) => isoSized(avif, width, height),
  heic: (width, height) => isoSized(heifSample("quarters.heic"), width, height),
  avis: (width, height) => {
    const bytes = isoSized(avif, width, height);
    bytes.write("avis", 8);
    return bytes;
  },
  tiff: (width, height) => tiff(grey(width, height)),
  svg: (width, height) => text("", `width="${width}" height="${height}"`),
} satisfies Record<keyof typeof Limits.MAX_PIXELS, (width: number, height: number) => Buffer>;

const formats = Object.keys(withDeclaredSize) as (keyof typeof withDeclaredSize)[];

/** A side of a WebP has at most 16,383 pixels, so its image must be wider to reach the limit. */
const widths: Partial<Record<(typeof formats)[number], number>> = { webp: 16_000 };

test.each(formats)(
  "%s: the maximum of pixels is accepted, one row more is refused",
  async (format) => {
    const width = widths[format] ?? Limits.MAX_PIXELS[format] / 5000;
    const height = Limits.MAX_PIXELS[format] / width;
    expect(await identify(withDeclaredSize[format](width, height))).toMatchObject({
      width,
      height,
    });
    await expect(identify(withDeclaredSize[format](width, height + 1))).rejects.toMatchObject(
      tooMany,
    );
  },
);
const tooMany = { code: "image.too_many_pixels" };

const frames = (count: number, edge = 1) =>
  gif(edge, edge, ...Array.from({ length: count }, () => frame()));
const nested = (levels: number) => text("<g>".repeat(levels - 1) + "</g>".repeat(levels - 1));
const shapes = (count: number) => text('<a id="a"/>'.repeat(count - 1));
/** A JPEG with a colour profile of this many zero bytes. */
const withProfile = (bytes: number) => {
  const parts = Array.from({ length: 100 }, () => Buffer.alloc(bytes / 100));
  return Buffer.concat([
    jpeg.subarray(0, 2),
    ...parts.map((part, index) => profile(part, index + 1, 100)),
    jpeg.subarray(2),
  ]);
};

test.each<[limit: string, under: () => Buffer, over: () => Buffer, code: string]>([
  ["side", () => png(Limits.MAX_SIDE, 1), () => png(Limits.MAX_SIDE + 1, 1), "image.side_too_long"],
  [
    "frames",
    () => frames(Limits.MAX_FRAMES),
    () => frames(Limits.MAX_FRAMES + 1),
    "image.too_many_frames",
  ],
  ["pixels of all frames", () => frames(2, 5000), () => frames(2, 5001), "image.too_many_pixels"],
  [
    "pixels of an interlaced PNG",
    () => png(10_000, 5000, { interlaced: true }),
    () => png(10_000, 5001, { interlaced: true }),
    "image.too_many_pixels",
  ],
  [
    "pixels of a progressive JPEG",
    () => padded(sized(progressive, 10_000, 10_000), 200_000),
    () => padded(sized(progressive, 10_000, 10_001), 200_000),
    "image.too_many_pixels",
  ],
  [
    "pixels in all scans",
    () => padded(inScans(1500, 63), 99),
    () => inScans(1510, 63),
    "image.too_complex",
  ],
  [
    "pixels for a byte of JPEG",
    () => sized(padded(jpeg, 4096 - jpeg.length), 512, 4096),
    () => sized(padded(jpeg, 4095 - jpeg.length), 512, 4096),
    "image.truncated",
  ],
  [
    "bytes of a profile",
    () => withProfile(Limits.MAX_PROFILE_BYTES - 4),
    () => withProfile(Limits.MAX_PROFILE_BYTES + 96),
    "image.profile_too_large",
  ],
  [
    "bytes of an SVG",
    () => text(" ".repeat(Limits.MAX_SVG_BYTES - text("").length)),
    () => text(" ".repeat(Limits.MAX_SVG_BYTES - text("").length + 1)),
    "image.too_many_bytes",
  ],
  [
    "levels of an SVG",
    () => nested(Limits.MAX_SVG_DEPTH),
    () => nested(Limits.MAX_SVG_DEPTH + 1),
    "image.too_complex",
  ],
  [
    "shapes of an SVG",
    () => shapes(Limits.MAX_SVG_COST - 1),
    () => shapes(Limits.MAX_SVG_COST + 2),
    "image.too_complex",
  ],
  [
    "bytes",
    // the padding after the JPEG is not read
    () => Buffer.concat([jpeg], Limits.MAX_INPUT_BYTES),
    () => Buffer.alloc(Limits.MAX_INPUT_BYTES + 1),
    "image.too_many_bytes",
  ],
])("at the limit an upload is accepted, above it refused: %s", async (_, under, over, code) => {
  await expect(identify(under())).resolves.toBeDefined();
  await expect(identify(over())).rejects.toMatchObject({ name: "Refusal", code });
});

const planned = (request: Request, width: number, height: number, pages = 1) =>
  Plan.plan(
    request,
    { width, height, pages, format: pages > 1 ? "webp" : "png", hasAlpha: false },
    { avif: true, webp: true },
  );

test.each<[limit: string, under: () => Plan.Plan, over: () => Plan.Plan, code: string]>([
  [
    "pixels of an AVIF",
    () => planned({ f: "avif" }, 4000, 2000),
    () => planned({ f: "avif" }, 4000, 2001),
    "delivery.invalid_query",
  ],
  [
    "seconds of a GIF",
    () => planned({ f: "gif" }, 3380, 3380),
    () => planned({ f: "gif" }, 3381, 3381),
    "delivery.too_much_work",
  ],
  [
    "seconds of a moving GIF",
    () => planned({ f: "gif" }, 100, 100, 1000),
    () => planned({ f: "gif" }, 110, 110, 1000),
    "delivery.too_much_work",
  ],
  [
    "seconds of a PNG with a palette",
    () => planned({ f: "png", q: 50 }, 3800, 3800),
    () => planned({ f: "png", q: 50 }, 3820, 3820),
    "delivery.too_much_work",
  ],
  [
    "seconds of everything together",
    () => planned({ f: "webp", blur: 100 }, 4800, 4800),
    () => planned({ f: "webp", blur: 100, sharpen: 10 }, 4800, 4800),
    "delivery.too_much_work",
  ],
  [
    "pixels of all frames of the output",
    () => planned({ f: "webp" }, 5000, 5000, 2),
    () => planned({ f: "webp", w: 4000, up: true }, 3000, 3000, 4),
    "delivery.too_large",
  ],
])("at the limit an output is planned, above it refused: %s", (_, under, over, code) => {
  expect(under()).toBeDefined();
  expect(over).toThrow(expect.objectContaining({ name: "Refusal", code }));
});

test("a plan is within the output limits for the largest requests", () => {
  for (const request of [
    {},
    { w: 4096, dpr: 4, up: true },
    { w: 1, h: 4096, fit: "cover", dpr: 4, up: true },
  ] as Request[]) {
    const { width, height, scale } = planned({ ...request, f: "jpeg" }, 9000, 9000);
    expect(Math.max(width, height)).toBeLessThanOrEqual(Limits.MAX_OUTPUT_EDGE);
    expect(width * height).toBeLessThanOrEqual(Limits.MAX_OUTPUT_PIXELS);
    expect(scale.width * scale.height).toBeLessThanOrEqual(Limits.MAX_SCALED_PIXELS);
  }
});
