import sharp from "sharp";
import { expect, test } from "vitest";

import { photo } from "../test/samples.ts";
import { identify, precheck } from "./identify.ts";
import { prepare } from "./prepare.ts";

// Kinds of files that are pictures and are not accepted, or that look like none and are one.

const header = (text: string) => Buffer.concat([Buffer.from(text, "latin1"), Buffer.alloc(64)]);

test.each([
  ["JPEG XL", header("\xff\x0a")],
  ["JPEG XL", header("\0\0\0\x0cJXL \r\n\x87\n")],
  ["JPEG 2000", header("\0\0\0\x0cjP  \r\n\x87\n")],
  ["JPEG 2000", header("\xff\x4f\xff\x51")],
  ["JPEG XR", header("II\xbc\x01")],
  ["BMP", header("BM\x9a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0")],
  ["ICO", header("\0\0\x01\0\x01\0\x10\x10\0\0")],
  ["PSD", header("8BPS\0\x01")],
  ["CR2", header("II*\0\x10\0\0\0CR\x02\0")],
  ["CR3", header("\0\0\0\x18ftypcrx ")],
  ["ORF", header("IIRO\x08\0")],
  ["RAF", header("FUJIFILMCCD-RAW 0201")],
  ["OpenEXR", header("v/1\x01")],
])("%s is refused by its name", async (name, bytes) => {
  await expect(identify(bytes)).rejects.toMatchObject({
    kind: "unsupported",
    code: "image.unsupported",
    detail: expect.stringContaining(name),
  });
});

test("a JPEG of a kind that the decoder does not have is called unsupported, not damaged", async () => {
  const jpeg = await photo(60, 40).jpeg().toBuffer();
  const frame = jpeg.indexOf(Buffer.of(0xff, 0xc0, 0, 17, 8));
  const twelveBits = Buffer.from(jpeg);
  twelveBits[frame + 4] = 12;
  await expect(prepare(twelveBits, { namedCopy: false })).rejects.toMatchObject({
    code: "image.unsupported",
    detail: expect.stringContaining("12 bits"),
  });
  const hierarchical = Buffer.from(jpeg);
  hierarchical[frame + 1] = 0xc5;
  await expect(identify(hierarchical)).rejects.toMatchObject({ code: "image.unsupported" });
});

test("a TIFF in Lab with 8 bits is called unsupported, not damaged", async () => {
  const rgb = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
    .tiff({ compression: "none" })
    .toBuffer();
  const lab = Buffer.from(rgb);
  const directory = lab.readUInt32LE(4);
  for (let at = directory + 2; at < directory + 2 + lab.readUInt16LE(directory) * 12; at += 12)
    if (lab.readUInt16LE(at) === 262) lab.writeUInt16LE(8, at + 8);
  await expect(identify(lab)).rejects.toMatchObject({
    code: "image.unsupported",
    detail: expect.stringContaining("Lab"),
  });
});

const root = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="#0a0"/></svg>`;
const prologues: [string, string][] = [
  ["nothing", ""],
  ["a byte order mark", "\uFEFF"],
  ["white space", "\n\t  \r\n".repeat(2000)],
  ["a long comment", `<!-- ${"licence ".repeat(1000)} -->`],
  ["a comment of a hundred kilobytes", `<!-- ${"licence ".repeat(13_000)} -->`],
  ["many comments", "<!-- a > b --> ".repeat(900)],
  [
    "a declaration and a document type",
    `<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n`,
  ],
  ["an empty internal subset", "<!DOCTYPE svg []>"],
  [
    "an instruction",
    `<?xml-stylesheet href="a.css" type="text/css"?><!-- - -- ->`.replace(
      "<!-- - -- ->",
      "<!-- x -->",
    ),
  ],
  [
    "all of them",
    `\uFEFF<?xml version="1.0"?>\n<!-- a -->\n<?b c?>\n<!DOCTYPE svg>\n<!-- ${"d".repeat(70_000)} -->\n`,
  ],
];

test.each(prologues)("an SVG that begins with %s is an SVG", async (_, prologue) => {
  const bytes = Buffer.from(prologue + root);
  await expect(identify(bytes)).resolves.toMatchObject({ format: "svg", width: 20, height: 10 });
  // the first bytes alone do not refuse it
  await expect(precheck(bytes.subarray(0, 65_536), bytes.length)).resolves.toBeUndefined();
});

test("an SVG whose elements have a prefix is an SVG", async () => {
  const bytes = Buffer.from(
    root
      .replace("<svg xmlns", "<s:svg xmlns:s")
      .replace("<rect", "<s:rect")
      .replace("</svg", "</s:svg"),
  );
  await expect(identify(bytes)).resolves.toMatchObject({ format: "svg", width: 20 });
});

test("an SVG in UTF-16 is refused for its encoding", async () => {
  await expect(identify(Buffer.from(`\uFEFF${root}`, "utf16le"))).rejects.toMatchObject({
    code: "image.svg_encoding",
  });
});

test.each([
  ["HTML", "<!DOCTYPE html><html><body><svg></svg></body></html>"],
  ["XML of another kind", `<?xml version="1.0"?><rss><svg/></rss>`],
  ["a comment without an end", `<!-- ${"x".repeat(5000)} <svg>`],
])("%s is no picture", async (_, text) => {
  await expect(identify(Buffer.from(text))).rejects.toMatchObject({ code: "image.not_a_picture" });
});

test("looking for the root element takes time in proportion to the text", async () => {
  const texts = [
    "<!-- ".repeat(200_000),
    "<?".repeat(400_000),
    "<!doctype [".repeat(80_000),
    " ".repeat(900_000),
  ];
  for (const text of texts)
    await expect(identify(Buffer.from(text))).rejects.toMatchObject({
      code: "image.not_a_picture",
    });
});
