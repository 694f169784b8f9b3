import { ascii, noise, u16le } from "./bytes.ts";
import type { Case } from "./case.ts";

const palette = Buffer.from("000000ffffff", "hex");
const control = Buffer.from("21f904000a000000", "hex");
/** The compressed data of one pixel. */
const onePixel = Buffer.from("02024401", "hex");

const screen = (width: number, height: number) =>
  Buffer.concat([ascii("GIF89a"), u16le(width), u16le(height), Buffer.of(0x80, 0, 0), palette]);

export const frame = (
  width = 1,
  height = 1,
  left = 0,
  top = 0,
  data = Buffer.concat([onePixel, Buffer.of(0)]),
) =>
  Buffer.concat([
    control,
    Buffer.of(0x2c),
    u16le(left),
    u16le(top),
    u16le(width),
    u16le(height),
    Buffer.of(0),
    data,
  ]);

export const gif = (width: number, height: number, ...parts: Buffer[]) =>
  Buffer.concat([screen(width, height), ...parts, Buffer.of(0x3b)]);
const repeat = (count: number, part: Buffer) => Array.from({ length: count }, () => part);

export const gifs = (): Case[] => [
  ["GIF with 10,000 frames", gif(1, 1, ...repeat(10_000, frame())), "image.too_many_frames"],
  ["GIF with 1,000 frames of 220 × 220", gif(220, 220, ...repeat(1000, frame()))],
  ["GIF with 20 frames of 1,500 × 1,500", gif(1500, 1500, ...repeat(20, frame()))],
  ["GIF with a screen of 65,535 × 65,535", gif(65_535, 65_535, frame()), "image.side_too_long"],
  ["GIF with a screen of 20,000 × 20,000", gif(20_000, 20_000, frame()), "image.too_many_pixels"],
  ["GIF with a screen of 7,000 × 7,000", gif(7000, 7000, frame())],
  ["GIF without a screen", gif(0, 0, frame())],
  ["GIF without frames", gif(10, 10)],
  ["GIF with a frame larger than its screen", gif(10, 10, frame(60_000, 60_000))],
  ["GIF with a frame outside its screen", gif(10, 10, frame(5, 5, 60_000, 60_000))],
  ["GIF with a frame of 0 × 0", gif(10, 10, frame(0, 0))],
  [
    "GIF with random bytes as pixels",
    gif(
      64,
      64,
      frame(64, 64, 0, 0, Buffer.concat([Buffer.of(8, 200), noise(200, 9), Buffer.of(0)])),
    ),
  ],
  [
    "GIF with codes of 255 bits",
    gif(
      10,
      10,
      frame(10, 10, 0, 0, Buffer.concat([Buffer.of(255, 200), noise(200, 10), Buffer.of(0)])),
    ),
  ],
  [
    "GIF with blocks that do not end",
    Buffer.concat([screen(10, 10), Buffer.of(0x21, 0xfe), Buffer.alloc(100_000, 1)]),
  ],
  [
    "GIF with 50,000 extensions",
    gif(10, 10, ...repeat(50_000, Buffer.from("21fe0161 00".replace(" ", ""), "hex")), frame()),
  ],
  ["GIF without an end", Buffer.concat([screen(10, 10), frame(10, 10)])],
];
