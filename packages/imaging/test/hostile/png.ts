import { deflateSync } from "node:zlib";

import { ascii, bomb, before, noise, png, pngChunk, u32 } from "./bytes.ts";
import type { Case } from "./case.ts";

const keyed = (key: string, data: Buffer) => Buffer.concat([ascii(`${key}\0\0`), data]);
const repeat = (count: number, chunk: Buffer) => Array.from({ length: count }, () => chunk);
/** Enough zeros for the rows of a grey picture of one bit, also of the seven passes of an interlaced one. */
const rows = (width: number, height: number) =>
  Buffer.alloc((Math.ceil(width / 8) + 2) * height * 2);

export function pngs(valid: Buffer): Case[] {
  const withChunk = (name: string, chunk: Buffer): Case => [name, before(valid, "IDAT", chunk)];
  return [
    ["PNG of 256 megapixels", png(16_000, 16_000)],
    ["PNG of 1 × 60,000", png(1, 60_000), "image.side_too_long"],
    ["PNG of 60,000 × 1", png(60_000, 1), "image.side_too_long"],
    ["PNG of 2^31 - 1 × 2^31 - 1", png(2 ** 31 - 1, 2 ** 31 - 1)],
    ["PNG without width", png(0, 10)],
    ["PNG without height", png(10, 0)],
    ["PNG of 17 bits", png(10, 10, { depth: 17 })],
    ["PNG without the palette that it needs", png(10, 10, { colour: 3 })],
    ["PNG whose data unpack to 100 MiB", png(10, 10, {}, bomb(100))],
    ["PNG of 100 megapixels, packed", png(10_000, 10_000, { depth: 1, colour: 0 }, bomb(13))],
    [
      "PNG of 100 megapixels, interlaced",
      png(
        10_000,
        10_000,
        { depth: 1, colour: 0, interlaced: true },
        deflateSync(rows(10_000, 10_000)),
      ),
    ],
    [
      "PNG with a megapixel less data than it claims",
      png(1000, 1000, { colour: 0 }, deflateSync(Buffer.alloc(1000))),
    ],
    withChunk("PNG with a profile of 4 GB", pngChunk("iCCP", keyed("icc", bomb(1)), 0xffffffff)),
    withChunk("PNG with a text of 2 GB", pngChunk("zTXt", keyed("Comment", bomb(1)), 0x7fffffff)),
    withChunk(
      "PNG with a profile that unpacks to 100 MiB",
      pngChunk("iCCP", keyed("icc", bomb(100))),
    ),
    withChunk(
      "PNG with a text that unpacks to 100 MiB",
      pngChunk("zTXt", keyed("Comment", bomb(100))),
    ),
    withChunk(
      "PNG with international texts that unpack to 200 MiB",
      Buffer.concat(
        repeat(10, pngChunk("iTXt", Buffer.concat([ascii("Comment\0\x01\0\0\0"), bomb(20)]))),
      ),
    ),
    withChunk(
      "PNG with 50,000 texts",
      Buffer.concat(repeat(50_000, pngChunk("tEXt", ascii("a\0b")))),
    ),
    withChunk(
      "PNG with 5,000 empty data chunks",
      Buffer.concat(repeat(5_000, pngChunk("IDAT", Buffer.alloc(0)))),
    ),
    withChunk(
      "PNG with random bytes as a profile",
      pngChunk("iCCP", keyed("icc", deflateSync(noise(5000, 1)))),
    ),
    withChunk("PNG with random bytes as EXIF", pngChunk("eXIf", noise(5000, 2))),
    withChunk(
      "PNG that claims a million frames",
      pngChunk("acTL", Buffer.concat([u32(1_000_000), u32(0)])),
    ),
    ["PNG with an unknown critical chunk", before(valid, "IDAT", pngChunk("EVIL", noise(99, 3)))],
  ];
}
