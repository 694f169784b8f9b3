import { noise } from "./bytes.ts";
import type { Case } from "./case.ts";
import { grid as gridOf, modified, sized } from "./iso-boxes.ts";

/** `valid` is 64 × 48. */
export function avifs(valid: Buffer): Case[] {
  const grid = (columns: number, rows: number, width: number, height: number) =>
    gridOf(valid, { codec: "av01", columns, rows, width, height });
  return [
    ["AVIF that claims 65,535 × 65,535", sized(valid, 65_535, 65_535)],
    ["AVIF that claims 2^32 - 1 × 2^32 - 1", sized(valid, 0xffffffff, 0xffffffff)],
    ["AVIF that claims 6,000 × 6,000 and has fewer pixels", sized(valid, 6000, 6000)],
    ["AVIF without width", sized(valid, 0, 48)],
    ["AVIF in a grid of 4", grid(2, 2, 128, 96)],
    ["AVIF in a grid of 15 × 16", grid(15, 16, 960, 768)],
    ["AVIF in a grid of 39 megapixels", grid(112, 114, 7168, 5472)],
    ["AVIF in a grid of 200 × 256 tiles", grid(200, 256, 12_800, 12_288)],
    [
      "AVIF in a grid that claims 60,000 × 60,000",
      grid(2, 2, 60_000, 60_000),
      "image.side_too_long",
    ],
    ["AVIF in a grid larger than its tiles", grid(2, 2, 6000, 6000)],
    [
      "AVIF whose pixels claim 4 GB",
      modified(valid, "iloc", (bytes, at) => bytes.fill(0xff, at + 20, at + 28)),
    ],
    [
      "AVIF with random bytes as items",
      modified(valid, "iinf", (bytes, at) => void noise(40, 17).copy(bytes, at + 8)),
    ],
    [
      "AVIF with a box of length 0",
      modified(valid, "iprp", (bytes, at) => bytes.writeUInt32BE(0, at - 4)),
    ],
    [
      "AVIF with a box of 4 GB",
      modified(valid, "iprp", (bytes, at) => bytes.writeUInt32BE(0xffffffff, at - 4)),
    ],
    [
      "AVIF with random bytes as pixels",
      modified(
        valid,
        "mdat",
        (bytes, at) => void noise(bytes.length - at - 8, 18).copy(bytes, at + 4),
      ),
    ],
  ];
}
