import { deflateSync } from "node:zlib";

import sharp from "sharp";
import { expect, test } from "vitest";

import { gif, photo } from "../test/samples.ts";
import { identify } from "./identify.ts";
import { MAX_FRAMES } from "./limits.ts";

test.each(["jpeg", "png", "webp", "avif", "tiff"] as const)(
  "%s is identified by its bytes",
  async (format) => {
    const bytes = await photo(60, 40).toFormat(format).toBuffer();
    expect(await identify(bytes)).toMatchObject({ format, width: 60, height: 40, pages: 1 });
  },
);

test("the frames of a GIF are counted", async () => {
  const bytes = await gif(20, 10, ["red", "lime", "blue"]);
  expect(await identify(bytes)).toMatchObject({ format: "gif", width: 20, height: 10, pages: 3 });
});

test("a GIF of the older version 87a is identified", async () => {
  const bytes = await gif(20, 10, ["red", "lime"]);
  bytes.write("GIF87a");
  expect(await identify(bytes)).toMatchObject({ format: "gif", width: 20, height: 10, pages: 2 });
});

test("width and height are those of the upright image", async () => {
  const bytes = await photo(60, 40).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  expect(await identify(bytes)).toMatchObject({ width: 40, height: 60 });
});

test.each([
  ["an empty file", Buffer.alloc(0), "image.empty"],
  ["text that is called .jpg", Buffer.from("this is no image at all"), "image.not_a_picture"],
  ["HTML", Buffer.from("<html><script>alert(1)</script><svg></svg></html>"), "image.not_a_picture"],
  ["a PDF", Buffer.from("%PDF-1.7\n%âãÏÓ\n"), "image.not_a_picture"],
  ["only the brand of a HEIC", box("heic", ["mif1", "heic"]), "image.damaged"],
  [
    "only the first bytes of a JPEG",
    Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]),
    "image.truncated",
  ],
  ["only the first bytes of a PNG", pngHead(10, 10).subarray(0, 20), "image.damaged"],
])("%s is refused", async (_, bytes, code) => {
  await expect(identify(bytes)).rejects.toMatchObject({ name: "Refusal", code });
});

test.each([
  ["a side of 60,000 pixels", pngHead(1, 60_000), "image.side_too_long"],
  ["256 megapixels in a few bytes", pngHead(16_000, 16_000), "image.too_many_pixels"],
  ["an image without width", pngHead(0, 10), "image.damaged"],
])("%s is refused from the header, before a pixel is decoded", async (_, bytes, code) => {
  const start = process.cpuUsage();
  await expect(identify(bytes)).rejects.toMatchObject({ code });
  // decoding the image would take 700 ms of CPU; identifying takes a few, the rest is margin for a busy machine
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(200);
});

test("an animation with too many frames is refused", async () => {
  const many = await gif(1, 1, ["red", "lime"]);
  // the same two frames over and over, as in a hostile file
  const end = many.length - 1;
  const start = many.indexOf(Buffer.from([0x21, 0xf9]));
  const frames = Array.from({ length: MAX_FRAMES }, () => many.subarray(start, end));
  const bytes = Buffer.concat([many.subarray(0, start), ...frames, many.subarray(end)]);
  await expect(identify(bytes)).rejects.toMatchObject({ code: "image.too_many_frames" });
});

test.each([
  [
    "entities",
    '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"><text>&a;</text></svg>',
    "image.svg_entities",
  ],
  [
    "an embedded image",
    '<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"><image href="data:image/png;base64,AA=="/></svg>',
    "image.svg_images",
  ],
  [
    "a canvas that is too large",
    '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"/>',
    "image.too_many_pixels",
  ],
])("an SVG with %s is refused", async (_, text, code) => {
  await expect(identify(Buffer.from(text))).rejects.toMatchObject({ code });
});

test("an SVG is identified behind an XML declaration, comments and a document type", async () => {
  const text =
    '\uFEFF<?xml version="1.0"?>\n<!-- made by hand -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>';
  expect(await identify(Buffer.from(text))).toMatchObject({ format: "svg", width: 30, height: 20 });
});

test("the content type of a PNG is image/png", async () => {
  const bytes = await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  expect(await identify(bytes)).toMatchObject({ contentType: "image/png" });
});

/** The `ftyp` box that ISO media files begin with. */
function box(brand: string, compatible: string[]): Buffer {
  const body = Buffer.from(`ftyp${brand}\0\0\0\0${compatible.join("")}`, "latin1");
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 4);
  return Buffer.concat([size, body, Buffer.alloc(64)]);
}

/** A PNG that declares a size and has almost no data. */
function pngHead(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc(typed));
  return Buffer.concat([length, typed, sum]);
}

function crc(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
