import sharp from "sharp";
import { expect, test } from "vitest";

import { heifSample } from "../../test/heif-samples.ts";
import { box, grid, modified } from "../../test/hostile/iso-boxes.ts";
import { u32 } from "../../test/hostile/bytes.ts";
import { corners, photo } from "../../test/samples.ts";
import { identify } from "../identify.ts";
import * as Limits from "../limits.ts";
import { prepare } from "../prepare.ts";

/** The largest rung, as it is delivered. */
async function prepared(bytes: Buffer) {
  const { rungs, ...result } = await prepare(bytes, { namedCopy: false });
  return { ...result, whole: rungs[0]! };
}

/** The values of the pixel in the middle. */
async function middle(bytes: Buffer): Promise<number[]> {
  const { whole } = await prepared(bytes);
  const { data, info } = await sharp(whole.data).raw().toBuffer({ resolveWithObject: true });
  const at =
    (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * info.channels;
  return [...data.subarray(at, at + info.channels)];
}

const UPRIGHT = ["red", "green", "blue", "white"];

test.each([
  ["quarters.heic", 120, 90, UPRIGHT],
  ["mini.heic", 120, 90, UPRIGHT],
  ["two-images.heic", 120, 90, UPRIGHT],
  ["sequence.heic", 120, 90, UPRIGHT],
  ["grid.heic", 120, 90, UPRIGHT],
  ["mirrored.heic", 120, 90, ["green", "red", "white", "blue"]],
  ["rotated.heic", 90, 120, ["blue", "red", "white", "green"]],
  ["grid-rotated.heic", 90, 120, ["blue", "red", "white", "green"]],
  ["grid-upside-down.heic", 120, 90, ["white", "blue", "green", "red"]],
])("%s is upright, and has one rung of its size", async (name, width, height, colours) => {
  const bytes = heifSample(name);
  expect(await identify(bytes)).toMatchObject({ format: "heic", width, height, pages: 1 });
  const { whole, ...result } = await prepared(bytes);
  expect(result).toMatchObject({ contentType: "image/heic", width, height, hasAlpha: false });
  expect(whole).toMatchObject({ width, height, contentType: "image/jpeg" });
  expect(await corners(whole.data)).toEqual(colours);
});

const clap = (width: number, height: number, left: number, top: number) =>
  // fractions: width, height, and the distance of the centres
  box("clap", ...[width, 1, height, 1, left, 2, top, 2].map(u32));

test("the properties of a grid are applied in their order", async () => {
  const [irot, imir] = [box("irot", Buffer.of(1)), box("imir", Buffer.of(1))];
  const tiles = { codec: "hvc1", columns: 2, rows: 2, width: 120, height: 90 } as const;
  const tile = heifSample("p3-nclx.heic");
  const header = (properties: Buffer[]) => identify(grid(tile, { ...tiles, properties }));
  expect(await header([irot])).toMatchObject({ width: 90, height: 120 });
  expect(await header([clap(100, 50, 0, 0), irot])).toMatchObject({ width: 50, height: 100 });
  const bytes = grid(tile, { ...tiles, properties: [clap(100, 50, 0, 0), irot, imir] });
  const { whole } = await prepared(bytes);
  expect(whole).toMatchObject({ width: 50, height: 100 });
  // no pixel is left out
  const { channels } = await sharp(whole.data).stats();
  expect(channels.map(({ min }) => min)).toEqual(channels.map(({ max }) => max));
});

test.each([
  ["p3-icc.heic", [200, 30, 31]],
  // the same numbers in Display P3
  ["p3-nclx.heic", [218, 0, 7]],
  ["limited-422.heic", [200, 30, 31]],
  ["ten-bits.heic", [200, 30, 31]],
  ["twelve-bits-422.heic", [200, 30, 31]],
])("%s has the colours that it means", async (name, colour) => {
  const seen = await middle(heifSample(name));
  for (const [index, value] of colour.entries())
    expect(Math.abs(seen[index]! - value), `${seen.join()} for ${colour.join()}`).toBeLessThan(4);
});

test.each(["pq.heic", "hlg.heic"])(
  "%s: HDR is made as bright as a page, not flat",
  async (name) => {
    const [red, green, blue] = await middle(heifSample(name));
    // 203 cd/m² and more are white, so the bright red is as red as can be
    expect(red).toBeGreaterThan(240);
    expect(Math.max(green!, blue!)).toBeLessThan(60);
  },
);

test("transparency is kept, also where the colours were multiplied with it", async () => {
  for (const [name, colour] of [
    ["alpha.heic", [32, 64, 192]],
    ["premultiplied-alpha.heic", [64, 128, 255]],
  ] as const) {
    const bytes = heifSample(name);
    const { hasAlpha, whole } = await prepared(bytes);
    expect([hasAlpha, whole.contentType]).toEqual([true, "image/png"]);
    const [red, green, blue, alpha] = await middle(bytes);
    expect(alpha).toBe(128);
    for (const [index, value] of [red, green, blue].entries())
      expect(Math.abs(value! - colour[index]!)).toBeLessThan(4);
  }
});

test("EXIF's orientation does not count", async () => {
  // the tag with one number, 1
  const [upright, turned] = ["120103000100000001", "120103000100000006"];
  const bytes = Buffer.from(
    heifSample("credit.heic").toString("hex").replace(upright, turned),
    "hex",
  );
  expect(bytes.equals(heifSample("credit.heic"))).toBe(false);
  const { whole, width, height } = await prepared(bytes);
  expect([width, height, await corners(whole.data)]).toEqual([120, 90, UPRIGHT]);
});

test("credit is read from EXIF", async () => {
  expect((await identify(heifSample("credit.heic"))).credit).toEqual({
    artist: "Ana Example",
    copyright: "2026 Ana Example",
  });
});

test("the bytes decide between HEIC and AVIF, not the brand", async () => {
  const avif = await photo(64, 48).avif({ effort: 0 }).toBuffer();
  const brands = (bytes: Buffer, from: string, to: string) =>
    Buffer.from(bytes.toString("latin1").replaceAll(from, to), "latin1");
  const unbranded = modified(brands(avif, "avif", "mif1"), "ftyp", () => {});
  expect(await identify(unbranded)).toMatchObject({ format: "avif", width: 64, height: 48 });
  const heic = modified(heifSample("quarters.heic"), "ftyp", (bytes, at) => {
    bytes.write("avif", at + 4);
  });
  expect(await identify(heic)).toMatchObject({ format: "heic", width: 120, height: 90 });
});

test("of a sequence of AVIF the first picture is taken", async () => {
  const bytes = heifSample("sequence.avif");
  const { whole, ...result } = await prepared(bytes);
  expect(result).toMatchObject({ format: "avis", contentType: "image/avif-sequence", pages: 1 });
  expect(await corners(whole.data)).toEqual(UPRIGHT);
});

test("another codec is refused by its name", async () => {
  await expect(identify(heifSample("jpeg.heif"))).rejects.toMatchObject({
    kind: "unsupported",
    code: "image.heif_codec",
    detail: expect.stringContaining("JPEG (jpeg)"),
  });
});

test("a file that ends early is refused", async () => {
  for (const name of ["quarters.heic", "grid.heic"]) {
    const bytes = heifSample(name);
    for (const part of [0.2, 0.6, 0.95])
      await expect(
        prepare(bytes.subarray(0, Math.floor(bytes.length * part)), { namedCopy: false }),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^image\.(truncated|damaged)$/) });
  }
});

test("too many bytes are refused before they are read", async () => {
  const bytes = Buffer.concat([heifSample("quarters.heic"), Buffer.alloc(Limits.MAX_HEIF_BYTES)]);
  await expect(identify(bytes)).rejects.toMatchObject({ code: "image.too_many_bytes" });
});

test("everything of a transparent picture is delivered from a lossless rung", async () => {
  const { rungs } = await prepare(heifSample("alpha.heic"), { namedCopy: true });
  expect(rungs.map(({ contentType }) => contentType)).toEqual(["image/png"]);
});
