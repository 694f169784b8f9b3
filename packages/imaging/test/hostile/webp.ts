import { ascii, noise, u24le, u32le } from "./bytes.ts";
import type { Case } from "./case.ts";

const chunk = (name: string, data: Buffer, claims = data.length) =>
  Buffer.concat([ascii(name), u32le(claims), data, Buffer.alloc(data.length % 2)]);
const riff = (...chunks: Buffer[]) => {
  const body = Buffer.concat([ascii("WEBP"), ...chunks]);
  return Buffer.concat([ascii("RIFF"), u32le(body.length), body]);
};
const ANIMATED = 0x02;
const extended = (width: number, height: number, flags = 0) =>
  chunk("VP8X", Buffer.concat([Buffer.of(flags, 0, 0, 0), u24le(width - 1), u24le(height - 1)]));
const loop = chunk("ANIM", Buffer.alloc(6));
const frame = (picture: Buffer, width: number, height: number, left = 0, top = 0) =>
  chunk(
    "ANMF",
    Buffer.concat([
      u24le(left),
      u24le(top),
      u24le(width - 1),
      u24le(height - 1),
      u24le(100),
      Buffer.of(0),
      picture,
    ]),
  );

/** `valid` is 64 × 48. */
export function webps(valid: Buffer): Case[] {
  const picture = valid.subarray(12);
  const animated = (width: number, height: number, count: number, at = 0) =>
    riff(
      extended(width, height, ANIMATED),
      loop,
      ...Array.from({ length: count }, () => frame(picture, 64, 48, at, at)),
    );
  return [
    ["WebP whose canvas is larger than its picture", riff(extended(9000, 9000), picture)],
    ["WebP whose canvas is 16,777,216 wide", riff(extended(2 ** 24, 1), picture)],
    ["WebP whose canvas has 2^48 pixels", riff(extended(2 ** 24, 2 ** 24), picture)],
    ["animated WebP with a canvas of 16,384 × 16,384", animated(16_384, 16_384, 2)],
    ["animated WebP with a canvas of 16,000,000 × 200", animated(16_000_000, 200, 2)],
    ["animated WebP with 10,000 frames", animated(64, 48, 10_000), "image.too_many_frames"],
    ["animated WebP with 1,000 frames of 220 × 220", animated(220, 220, 1000)],
    [
      "animated WebP with a canvas of 10,000 × 10,000",
      animated(10_000, 10_000, 2),
      "image.too_many_pixels",
    ],
    ["animated WebP with 4 frames of 3,500 × 3,500", animated(3500, 3500, 4)],
    ["animated WebP with frames outside its canvas", animated(64, 48, 3, 60_000)],
    ["animated WebP without frames", riff(extended(64, 48, ANIMATED), loop)],
    [
      "WebP with a profile of 4 GB",
      riff(extended(64, 48, 0x20), chunk("ICCP", noise(99, 11), 0xfffffff0), picture),
    ],
    [
      "WebP with random bytes as a profile",
      riff(extended(64, 48, 0x20), chunk("ICCP", noise(5000, 12)), picture),
    ],
    [
      "WebP with random bytes as EXIF",
      riff(extended(64, 48, 0x08), picture, chunk("EXIF", noise(5000, 13))),
    ],
    [
      "WebP with 50,000 unknown chunks",
      riff(
        extended(64, 48),
        ...Array.from({ length: 50_000 }, () => chunk("EVIL", Buffer.of(1, 2))),
        picture,
      ),
    ],
    ["WebP that claims 4 GB", Buffer.concat([ascii("RIFF"), u32le(0xfffffffe), valid.subarray(8)])],
    [
      "WebP with random bytes as pixels",
      riff(
        chunk("VP8L", Buffer.concat([Buffer.of(0x2f, 0xff, 0xff, 0xff, 0x0f), noise(5000, 14)])),
      ),
    ],
  ];
}
