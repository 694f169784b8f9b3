import { noise, u16 } from "./bytes.ts";
import type { Case } from "./case.ts";
import { box, grid as gridOf, modified, sized } from "./iso-boxes.ts";

/** `valid` is 64 × 48. */
export function heics(valid: Buffer): Case[] {
  const grid = (
    columns: number,
    rows: number,
    width: number,
    height: number,
    more: Partial<Parameters<typeof gridOf>[1]> = {},
  ) => gridOf(valid, { codec: "hvc1", columns, rows, width, height, ...more });
  const changed = (name: string, change: (bytes: Buffer, at: number) => void) =>
    modified(valid, name, change);
  return [
    ["HEIC that claims 65,535 × 65,535", sized(valid, 65_535, 65_535), "image.too_complex"],
    ["HEIC that claims 2^32 - 1 × 2^32 - 1", sized(valid, 0xffffffff, 0xffffffff)],
    ["HEIC that claims 6,000 × 6,000 and has fewer pixels", sized(valid, 6000, 6000)],
    ["HEIC without width", sized(valid, 0, 48)],
    ["HEIC in a grid of 15 × 16", grid(15, 16, 960, 768)],
    ["HEIC in a grid of 49 × 64 tiles", grid(49, 64, 3136, 3072)],
    ["HEIC in a grid of 200 × 256 tiles", grid(200, 256, 12_800, 12_288)],
    ["HEIC in a grid of 80 × 80 tiles", grid(80, 80, 5120, 3840), "image.too_complex"],
    [
      "HEIC in a grid that claims 60,000 × 60,000",
      grid(2, 2, 60_000, 60_000),
      "image.side_too_long",
    ],
    ["HEIC in a grid larger than its tiles", grid(2, 2, 6000, 6000)],
    ["HEIC in a grid smaller than its tiles", grid(10, 10, 16, 16)],
    ["HEIC in a grid of itself", grid(2, 2, 128, 96, { tileOf: () => 1 })],
    ["HEIC in a grid of what is not there", grid(2, 2, 128, 96, { tileOf: () => 999 })],
    ["HEIC in a grid that turns a hundred times", grid(2, 2, 128, 96, turned(100))],
    ["HEIC that is its own thumbnail and alpha", withReferences(valid)],
    [
      "HEIC whose pixels claim 4 GB",
      changed("iloc", (bytes, at) => bytes.fill(0xff, at + 20, at + 28)),
    ],
    [
      "HEIC with random bytes as items",
      changed("iinf", (bytes, at) => void noise(40, 27).copy(bytes, at + 8)),
    ],
    ["HEIC with a box of length 0", changed("iprp", (bytes, at) => bytes.writeUInt32BE(0, at - 4))],
    [
      "HEIC with a box of 4 GB",
      changed("iprp", (bytes, at) => bytes.writeUInt32BE(0xffffffff, at - 4)),
    ],
    [
      "HEIC with random bytes as pixels",
      changed("mdat", (bytes, at) => void noise(bytes.length - at - 8, 28).copy(bytes, at + 4)),
    ],
    [
      "HEIC with random bytes as configuration",
      changed("hvcC", (bytes, at) => void noise(60, 29).copy(bytes, at + 4)),
    ],
    ["HEIC that is only its brand", valid.subarray(0, valid.readUInt32BE(0))],
  ];
}

const turned = (times: number) => ({
  properties: Array.from({ length: times }, () => box("irot", Buffer.of(1))),
});

/** References of an item to itself in every role. */
function withReferences(valid: Buffer): Buffer {
  const references = ["thmb", "auxl", "dimg", "prem"].map((role) =>
    box(role, u16(1), u16(1), u16(1)),
  );
  return gridOf(valid, {
    codec: "hvc1",
    columns: 1,
    rows: 1,
    width: 64,
    height: 48,
    references,
  });
}
