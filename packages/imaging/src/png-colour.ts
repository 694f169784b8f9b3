import { crc32, deflateSync } from "node:zlib";

import * as ImageBytes from "./image-bytes.ts";

const SIGNATURE_BYTES = 8;
/** Length, type and checksum of a chunk. */
const FRAME_BYTES = 12;
/** In the header: bits of a sample, or of an index of a palette, then the kind of pixels. */
const BITS_AT = 24;
const IS_COLOUR = 2;
const IS_PALETTE = 1;
/** Chunks in front of the pixels that are looked at. */
const MAX_CHUNKS = 100;

type Chunk = { type: string; start: number; end: number };

/** Colour of a `cICP` chunk: numbers of ITU-T H.273 (PNG, third edition, section 11.3.2.6). */
export type PngColour = { primaries: number; transfer: number; isLimited: boolean; bits: number };

/** undefined without a `cICP` chunk. */
export async function read(image: ImageBytes.ImageBytes): Promise<PngColour | undefined> {
  const chunk = (await chunksBeforePixels(image)).find(({ type }) => type === "cICP");
  if (!chunk) return undefined;
  const [bits = 8, kind = 0] = await ImageBytes.readPart(image, BITS_AT, BITS_AT + 2);
  // a profile of a gray picture is another one
  if ((kind & IS_COLOUR) === 0) return undefined;
  const [primaries, transfer, matrix, range] = await ImageBytes.readPart(
    image,
    chunk.start + 8,
    chunk.start + FRAME_BYTES,
  );
  // a PNG has RGB
  if (primaries === undefined || transfer === undefined || matrix !== 0) return undefined;
  return {
    primaries,
    transfer,
    isLimited: range === 0,
    bits: (kind & IS_PALETTE) === 0 ? bits : 8,
  };
}

/** The PNG with this colour profile instead of its own, or without one: `cICP` is stronger than a profile. */
export async function withProfile(
  image: ImageBytes.ImageBytes,
  profile: Buffer | undefined,
): Promise<Buffer> {
  const chunks = await chunksBeforePixels(image);
  const bytes = await ImageBytes.readAll(image);
  const [header, ...others] = chunks;
  const kept = others.filter(
    ({ type }) => !["iCCP", "sRGB", "gAMA", "cHRM", "cICP"].includes(type),
  );
  return Buffer.concat([
    bytes.subarray(0, header?.end),
    ...(profile ? [profileChunk(profile)] : []),
    ...kept.map(({ start, end }) => bytes.subarray(start, end)),
    bytes.subarray(chunks.at(-1)?.end),
  ]);
}

async function chunksBeforePixels(image: ImageBytes.ImageBytes): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  let at = SIGNATURE_BYTES;
  while (chunks.length < MAX_CHUNKS) {
    const head = await ImageBytes.readPart(image, at, at + 8);
    const type = head.toString("latin1", 4);
    if (head.length < 8 || type === "IDAT" || type === "IEND") break;
    const end = at + FRAME_BYTES + head.readUInt32BE(0);
    chunks.push({ type, start: at, end });
    at = end;
  }
  return chunks;
}

function profileChunk(profile: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from("iCCPcicp\0\0", "latin1"), deflateSync(profile)]);
  const chunk = Buffer.alloc(typed.length + 8);
  chunk.writeUInt32BE(typed.length - 4);
  typed.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typed), chunk.length - 4);
  return chunk;
}
