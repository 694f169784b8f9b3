import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { inScans, sized } from "../test/hostile/jpeg.ts";
import { validImages } from "../test/hostile/cases.ts";
import { photo } from "../test/samples.ts";
import * as Format from "./format.ts";
import { identify } from "./identify.ts";
import * as ImageBytes from "./image-bytes.ts";
import * as Jpeg from "./jpeg.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render, renderInto } from "./render.ts";

// An image in a file is read as the same bytes in memory are.

const folder = mkdtempSync(join(tmpdir(), "image-bytes-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(bytes: Buffer): string {
  const file = join(folder, String(++files));
  writeFileSync(file, bytes);
  return file;
}

const credit = { IFD0: { Artist: "Ana Example", Copyright: "2026 Ana" } };
const images: [string, Buffer][] = [
  ...Object.entries(await validImages()),
  ["TIFF with a credit", await photo(700, 500).withExif(credit).tiff().toBuffer()],
  ["JPEG with a credit", await photo(700, 500).withExif(credit).jpeg().toBuffer()],
];

test.each(images)("%s: prepared and rendered from a file", async (_, bytes) => {
  const file = fileOf(bytes);
  expect(await identify(file)).toEqual(await identify(bytes));
  const prepared = await prepare(file, { namedCopy: true });
  expect(prepared).toEqual(await prepare(bytes, { namedCopy: true }));
  // a delivery reads the rungs of these only
  if (Format.isDecodedOnce(prepared.format)) return;
  const accepted = { avif: false, webp: true };
  const trimmed = prepared.pages === 1 ? [{ w: 50, trim: 10 }] : [];
  for (const request of [{ w: 60 }, ...trimmed]) {
    const plan = Plan.plan(request, prepared, accepted);
    const expected = await render(bytes, plan);
    expect(await render(file, plan)).toEqual(expected);
    const written = join(folder, "written");
    await renderInto(written, file, plan);
    expect((await ImageBytes.readAll(written)).equals(expected.data)).toBe(true);
  }
});

test.each([
  ["nothing", Buffer.alloc(0), "image.empty"],
  ["a text", Buffer.from("no image"), "image.not_a_picture"],
  ["half a JPEG", (await photo(700, 500).jpeg().toBuffer()).subarray(0, 9_000), "image.truncated"],
  ["half a PNG", (await photo(700, 500).png().toBuffer()).subarray(0, 90_000), "image.truncated"],
])("%s in a file is refused alike", async (_, bytes, code) => {
  const refusal = { name: "Refusal", code };
  await expect(prepare(bytes, { namedCopy: true })).rejects.toMatchObject(refusal);
  await expect(prepare(fileOf(bytes), { namedCopy: true })).rejects.toMatchObject(refusal);
});

test("a JPEG without the marker of its end is decoded only if it is small", async () => {
  const jpeg = await photo(64, 48).jpeg().toBuffer();
  const endless = Buffer.concat([sized(jpeg, 5001, 5000).subarray(0, -2), Buffer.alloc(100_000)]);
  await expect(prepare(endless, { namedCopy: false })).rejects.toMatchObject({
    code: "image.truncated",
    detail: expect.stringContaining("no marker of its end"),
  });
});

test("an SVG in a file reads no file beside it", async () => {
  writeFileSync(join(folder, "secret.png"), await photo(20, 20).png().toBuffer());
  const link = '<image href="secret.png" width="20" height="20"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">${link}</svg>`;
  await expect(prepare(fileOf(Buffer.from(svg)), { namedCopy: false })).rejects.toMatchObject({
    code: "image.svg_images",
  });
});

test("the scans of a JPEG are counted across the parts that are read of a file", async () => {
  const bytes = inScans(64, 60);
  // comments that look like scans push the markers across the ends of parts
  const fake = Buffer.of(0xff, 0xda, 0, 2);
  const comment = Buffer.concat([Buffer.of(0xff, 0xfe, 0xff, 0xff), Buffer.alloc(65_533, fake)]);
  const start = bytes.subarray(0, 2);
  for (const comments of [0, 64, 130]) {
    const padding = Array.from({ length: comments }, () => comment);
    const padded = Buffer.concat([start, ...padding, bytes.subarray(2)]);
    const { scans } = await Jpeg.readScans(bytes);
    expect(scans).toBeGreaterThanOrEqual(300);
    expect(await Jpeg.readScans(padded)).toMatchObject({ scans });
    expect(await Jpeg.readScans(fileOf(padded))).toMatchObject({ scans });
  }
});

test("a part of a file ends where the file does", async () => {
  const bytes = Buffer.from("0123456789");
  for (const image of [bytes, fileOf(bytes)]) {
    expect(await ImageBytes.sizeOf(image)).toBe(10);
    expect(String(await ImageBytes.readPart(image, 2, 4))).toBe("23");
    expect(String(await ImageBytes.readPart(image, 8, 20))).toBe("89");
    expect(await ImageBytes.readPart(image, 10, 20)).toHaveLength(0);
    expect(await ImageBytes.readPart(image, 90, 95)).toHaveLength(0);
    expect(await ImageBytes.sha256(image)).toBe(await ImageBytes.sha256(bytes));
  }
});
