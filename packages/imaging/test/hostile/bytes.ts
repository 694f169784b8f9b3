import { crc32, deflateSync } from "node:zlib";

// Builds files from their parts. The same seed gives the same bytes.

export const u16 = (value: number) => Buffer.of(value >>> 8, value);
export const u32 = (value: number) => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value);
export const u16le = (value: number) => Buffer.of(value, value >>> 8);
export const u24le = (value: number) => Buffer.of(value, value >>> 8, value >>> 16);
export const u32le = (value: number) => Buffer.of(value, value >>> 8, value >>> 16, value >>> 24);
export const ascii = (text: string) => Buffer.from(text, "latin1");

/** Numbers in 0..1, the same for the same seed: mulberry32. */
export function random(seed: number) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const noise = (length: number, seed: number) => {
  const next = random(seed);
  return Buffer.from(Array.from({ length }, () => next() * 256));
};

/** `head` goes before the first chunk with this name. */
export const before = (bytes: Buffer, name: string, head: Buffer) => {
  const at = bytes.indexOf(name) - 4;
  return Buffer.concat([bytes.subarray(0, at), head, bytes.subarray(at)]);
};

const pngSignature = ascii("\x89PNG\r\n\x1a\n");

export function pngChunk(name: string, data: Buffer, claims = data.length) {
  const typed = Buffer.concat([ascii(name), data]);
  return Buffer.concat([u32(claims), typed, u32(crc32(typed))]);
}

export type PngHead = { depth?: number; colour?: number; interlaced?: boolean };

/** A PNG of any size from any data: its header may claim other dimensions than its data have. */
export function png(
  width: number,
  height: number,
  { depth = 8, colour = 2, interlaced = false }: PngHead = {},
  data = deflateSync(Buffer.alloc(1000)),
  chunks: Buffer[] = [],
) {
  const head = [u32(width), u32(height), Buffer.of(depth, colour, 0, 0, interlaced ? 1 : 0)];
  return Buffer.concat([
    pngSignature,
    pngChunk("IHDR", Buffer.concat(head)),
    ...chunks,
    pngChunk("IDAT", data),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Deflated zeros: a thousandth of their size. */
export const bomb = (mebibytes: number) =>
  deflateSync(Buffer.alloc(mebibytes * 2 ** 20), { level: 1 });
