import { crc32, deflateSync } from "node:zlib";

import sharp from "sharp";
import { expect, test } from "vitest";

import { coloursAt, deliver } from "../test/pixel-at.ts";
import { grey, tiff } from "../test/hostile/tiff.ts";
import { identify } from "./identify.ts";

const BITS = 258;
const SAMPLE_FORMAT = 339;
const [UNSIGNED, SIGNED, FLOATING_POINT] = [1, 2, 3];

for (const [name, bits, format] of [
  ["32-bit integers", 32, UNSIGNED],
  ["signed 32-bit integers", 32, SIGNED],
  ["signed 16-bit integers", 16, SIGNED],
  ["signed 8-bit integers", 8, SIGNED],
  ["gray floating point numbers", 32, FLOATING_POINT],
] as const)
  test(`a TIFF of ${name} is refused by its samples`, async () => {
    const bytes = tiff(grey(20, 20, { [BITS]: bits, [SAMPLE_FORMAT]: format! }));
    await expect(identify(bytes)).rejects.toMatchObject({ code: "image.unsupported" });
  });

test("unsigned samples of 8 and 16 bits are accepted", async () => {
  for (const bits of [8, 16])
    expect(
      await identify(tiff(grey(20, 20, { [BITS]: bits, [SAMPLE_FORMAT]: UNSIGNED! }))),
    ).toMatchObject({ width: 20 });
});

/** A gray ICC profile whose curve is a power, as its only tags need it. */
function grayProfile(gamma: number): Buffer {
  const curve = Buffer.alloc(14);
  curve.write("curv", 0);
  curve.writeUInt32BE(1, 8);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const white = Buffer.alloc(20);
  white.write("XYZ ", 0);
  [0.9642, 1, 0.8249].forEach((value, index) =>
    white.writeInt32BE(Math.round(value * 65_536), 8 + index * 4),
  );
  const head = Buffer.alloc(128 + 4 + 2 * 12);
  const size = head.length + 20 + 16;
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(0x02400000, 8);
  head.write("mntrGRAYXYZ ", 12);
  head.write("acsp", 36);
  white.copy(head, 68, 8);
  head.writeUInt32BE(2, 128);
  head.write("wtpt", 132);
  head.writeUInt32BE(head.length, 136);
  head.writeUInt32BE(20, 140);
  head.write("kTRC", 144);
  head.writeUInt32BE(head.length + 20, 148);
  head.writeUInt32BE(14, 152);
  return Buffer.concat([head, white, curve, Buffer.alloc(2)]);
}

/** A gray PNG of one value in the profile, written by hand because sharp would convert it. */
async function grayPng(size: number, value: number, bits: 8 | 16, gamma: number) {
  const data = new Uint16Array(size * size).fill(value * 257);
  const png = await sharp(data, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace(bits === 16 ? "grey16" : "b-w")
    .png()
    .toBuffer();
  const content = Buffer.concat([Buffer.from("iCCPgray\0\0"), deflateSync(grayProfile(gamma))]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  const afterHeader = 33;
  return Buffer.concat([png.subarray(0, afterHeader), chunk, png.subarray(afterHeader)]);
}

for (const bits of [8, 16] as const)
  for (const gamma of [1, 1.8])
    for (const size of [20, 800])
      test(`a gray profile of gamma ${gamma} is applied to ${size} pixels of ${bits} bits`, async () => {
        const bytes = await grayPng(size, 120, bits, gamma);
        const light = (120 / 255) ** gamma;
        const expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055);
        for (const query of ["f=png", "w=10&f=jpeg", "w=30&h=60&fit=contain&bg=00ff00&f=png"]) {
          const picture = await deliver(bytes, query);
          const [seen] = await coloursAt(picture, [[5, query.includes("contain") ? 30 : 5]]);
          expect(Math.abs(seen![0]! - expected)).toBeLessThanOrEqual(2);
        }
      });
