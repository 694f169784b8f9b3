import { ascii, noise, u16le, u32le } from "./bytes.ts";
import type { Case } from "./case.ts";

type Tags = Record<number, number>;
const [
  WIDTH,
  HEIGHT,
  BITS,
  COMPRESSION,
  KIND,
  OFFSET,
  BANDS,
  ROWS,
  COUNT,
  TILE_WIDTH,
  TILE_HEIGHT,
  TILES,
  TILE_BYTES,
] = [256, 257, 258, 259, 262, 273, 277, 278, 279, 322, 323, 324, 325];
const SHORT = 3;
const LONG = 4;

/** One page's directory of numbers; `next` is where the next page's is. */
function page(tags: Tags, next: number) {
  const entries = Object.entries(tags).map(([tag, value]) =>
    Buffer.concat([
      u16le(Number(tag)),
      u16le(value > 65_535 ? LONG : SHORT),
      u32le(1),
      u32le(value),
    ]),
  );
  return Buffer.concat([u16le(entries.length), ...entries, u32le(next)]);
}

const head = (first: number) => Buffer.concat([ascii("II*\0"), u32le(first)]);
const DATA = 8;
const data = noise(4000, 15);
const first = DATA + data.length;

/** Grey, eight bits, one strip, whose bytes follow the header. */
export const grey = (width: number, height: number, more: Tags = {}): Tags => ({
  [WIDTH]: width,
  [HEIGHT]: height,
  [BITS]: 8,
  [COMPRESSION]: 1,
  [KIND]: 1,
  [OFFSET]: DATA,
  [BANDS]: 1,
  [ROWS]: height,
  [COUNT]: data.length,
  ...more,
});
export const tiff = (tags: Tags, next = 0) => Buffer.concat([head(first), data, page(tags, next)]);

function pages(count: number) {
  const size = page(grey(60, 60), 0).length;
  const directories = Array.from({ length: count }, (_, index) =>
    page(grey(60, 60), index + 1 < count ? first + (index + 1) * size : 0),
  );
  return Buffer.concat([head(first), data, ...directories]);
}

const without = (tags: Tags, ...names: number[]) =>
  Object.fromEntries(Object.entries(tags).filter(([name]) => !names.includes(Number(name))));
const tiled = (width: number, height: number) => ({
  ...without(grey(60, 60), OFFSET, ROWS, COUNT),
  [TILE_WIDTH]: width,
  [TILE_HEIGHT]: height,
  [TILES]: DATA,
  [TILE_BYTES]: data.length,
});

export const tiffs = (): Case[] => [
  ["TIFF of one page", tiff(grey(60, 60))],
  ["TIFF whose page follows itself", tiff(grey(60, 60), first)],
  ["TIFF of 5,000 pages", pages(5000)],
  ["TIFF of 900 pages", pages(900)],
  ["TIFF of 100,000 × 100,000", tiff(grey(100_000, 100_000)), "image.side_too_long"],
  ["TIFF of 2^32 - 1 × 2^32 - 1", tiff(grey(0xffffffff, 0xffffffff))],
  ["TIFF without width", tiff(grey(0, 60))],
  ["TIFF of 100 megapixels without data", tiff(grey(10_000, 10_000))],
  [
    "TIFF of 100 megapixels of 64 bits without data",
    tiff(grey(10_000, 10_000, { [BITS]: 64, 339: 3 })),
  ],
  ["TIFF of 65,535 bands", tiff(grey(60, 60, { [BANDS]: 65_535 }))],
  ["TIFF of 0 bands", tiff(grey(60, 60, { [BANDS]: 0 }))],
  ["TIFF with no rows in a strip", tiff(grey(60, 60, { [ROWS]: 0 }))],
  ["TIFF whose strip is outside", tiff(grey(60, 60, { [OFFSET]: 0xfffffff0 }))],
  ["TIFF whose strip claims 4 GB", tiff(grey(60, 60, { [COUNT]: 0xffffffff }))],
  ["TIFF in tiles of 0 × 0", tiff(tiled(0, 0))],
  ["TIFF in tiles of 2 GB", tiff(tiled(0x7ffffff0, 16))],
  ["TIFF in tiles of 65,520 × 65,520", tiff(tiled(65_520, 65_520))],
  ...[
    2, 3, 4, 5, 6, 7, 8, 9, 32773, 32946, 34661, 34712, 34887, 34925, 50000, 50001, 50002, 65000,
  ].map((compression): Case => [
    `TIFF with random bytes in compression ${compression}`,
    tiff(grey(60, 60, { [COMPRESSION]: compression })),
  ]),
  ["TIFF whose directory is outside", head(0xfffffff0)],
  ["TIFF with 65,535 tags", Buffer.concat([head(8), u16le(65_535), noise(65_535 * 12, 16)])],
];
