import { ascii, noise, u16 } from "./bytes.ts";
import type { Case } from "./case.ts";

const segment = (marker: number, data: Buffer, claims = data.length + 2) =>
  Buffer.concat([Buffer.of(0xff, marker), u16(claims), data]);
const after = (bytes: Buffer, ...parts: Buffer[]) =>
  Buffer.concat([bytes.subarray(0, 2), ...parts, bytes.subarray(2)]);
const repeat = (count: number, part: Buffer) => Array.from({ length: count }, () => part);

const SOF = [0xc0, 0xc2];
const frameAt = (bytes: Buffer) => {
  for (let at = 2; at < bytes.length; at += 2 + bytes.readUInt16BE(at + 2))
    if (SOF.includes(bytes[at + 1]!)) return at;
  throw new Error("the JPEG has no frame");
};

/** The same file with other dimensions in its frame. */
export function sized(bytes: Buffer, width: number, height: number) {
  const changed = Buffer.from(bytes);
  changed.writeUInt16BE(height, frameAt(bytes) + 5);
  changed.writeUInt16BE(width, frameAt(bytes) + 7);
  return changed;
}

/** The file with its last scan, a refinement, `count` more times. */
function repeated(progressive: Buffer, count: number) {
  const scan = progressive.subarray(progressive.lastIndexOf(Buffer.of(0xff, 0xda)), -2);
  const end = Buffer.of(0xff, 0xd9);
  return Buffer.concat([progressive.subarray(0, -2), ...repeat(count, scan), end]);
}

/** A grey picture in as many scans as the standard has: each coefficient in scans of its own, one per bit. Every scan runs through all blocks for a few bytes. */
export function inScans(edge: number, coefficients: number) {
  const blocks = Math.ceil(edge / 8) ** 2;
  // the one code of each table is "0": no difference, and the next 32,767 blocks are empty
  const table = (kind: number, symbol: number) =>
    segment(0xc4, Buffer.concat([Buffer.of(kind, 1), Buffer.alloc(15), Buffer.of(symbol)]));
  const scan = (first: number, last: number, bits: number) =>
    segment(0xda, Buffer.of(1, 1, 0, first, last, bits));
  const empty = packed("011111111111111".repeat(Math.ceil(blocks / 32_767)));
  const refinements = Array.from({ length: 13 }, (_, low) => ((13 - low) << 4) | (12 - low));
  const spectrum = Array.from({ length: coefficients }, (_, index) =>
    [13, ...refinements].flatMap((bits) => [scan(index + 1, index + 1, bits), empty]),
  );
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xdb, Buffer.concat([Buffer.of(0), Buffer.alloc(64, 1)])),
    segment(0xc2, Buffer.concat([Buffer.of(8), u16(edge), u16(edge), Buffer.of(1, 1, 0x11, 0)])),
    table(0x00, 0),
    table(0x10, 0xe0),
    scan(0, 0, 0),
    Buffer.alloc(Math.ceil(blocks / 8)),
    ...spectrum.flat(),
    Buffer.of(0xff, 0xd9),
  ]);
}

/** Packs bits into bytes and fills the last one with ones. A byte of ones is followed by a zero byte, because it would be a marker. */
function packed(bits: string) {
  const bytes = bits.match(/.{1,8}/g)!.map((byte) => parseInt(byte.padEnd(8, "1"), 2));
  return Buffer.from(bytes.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte])));
}

export const profile = (bytes: Buffer, part: number, of: number) =>
  segment(0xe2, Buffer.concat([ascii("ICC_PROFILE\0"), Buffer.of(part, of), bytes]));

export function jpegs(valid: Buffer, progressive: Buffer): Case[] {
  return [
    ["JPEG of 65,535 × 65,535", sized(valid, 65_535, 65_535)],
    ["JPEG of 65,500 × 9", sized(valid, 65_500, 9), "image.side_too_long"],
    ["JPEG of 30,000 × 30,000", sized(valid, 30_000, 30_000), "image.too_many_pixels"],
    ["JPEG without width", sized(valid, 0, 10)],
    ["JPEG without height", sized(valid, 10, 0)],
    ["JPEG of 100 megapixels that ends at once", sized(valid, 10_000, 10_000), "image.truncated"],
    ["progressive JPEG of 100 megapixels that ends at once", sized(progressive, 10_000, 10_000)],
    ["progressive JPEG with its last scan 20 times", repeated(progressive, 20)],
    ["progressive JPEG with its last scan 5,000 times", repeated(progressive, 5_000)],
    ["progressive JPEG of 883 scans", inScans(100, 63)],
    ["progressive JPEG of 25 megapixels in 883 scans", inScans(5_000, 63), "image.too_complex"],
    ["progressive JPEG of 49 megapixels in 15 scans", inScans(7_000, 1)],
    ["progressive JPEG of 100 megapixels in 883 scans", inScans(10_000, 63), "image.too_complex"],
    ["JPEG with a segment of length 0", after(valid, segment(0xe1, ascii("Exif\0\0"), 0))],
    ["JPEG with a segment of length 1", after(valid, segment(0xe1, ascii("Exif\0\0"), 1))],
    ["JPEG with an empty segment", after(valid, segment(0xe1, Buffer.alloc(0)))],
    ["JPEG whose segment claims the rest", after(valid, segment(0xe1, ascii("Exif\0\0"), 65_535))],
    ["JPEG with 10,000 segments", after(valid, ...repeat(10_000, segment(0xed, noise(20, 4))))],
    [
      "JPEG with 8 MB of comments",
      after(valid, ...repeat(128, segment(0xfe, Buffer.alloc(65_000)))),
    ],
    [
      "JPEG with random bytes as EXIF",
      after(valid, segment(0xe1, Buffer.concat([ascii("Exif\0\0"), noise(9000, 5)]))),
    ],
    [
      "JPEG with EXIF that refers to itself",
      after(
        valid,
        segment(
          0xe1,
          ascii("Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"),
        ),
      ),
    ],
    ["JPEG with random bytes as a profile", after(valid, profile(noise(9000, 6), 1, 1))],
    [
      "JPEG with a profile of 16 MB",
      after(
        valid,
        ...Array.from({ length: 255 }, (_, part) => profile(noise(65_000, 7), part + 1, 255)),
      ),
    ],
    ["JPEG with half of a profile", after(valid, profile(noise(900, 8), 2, 9))],
    ["JPEG with another JPEG after its first marker", after(valid, valid)],
    ["JPEG of markers only", Buffer.concat([valid.subarray(0, 2), Buffer.alloc(100_000, 0xff)])],
    ["JPEG with a restart after every block", after(valid, segment(0xdd, u16(1)))],
  ];
}
