import * as ImageBytes from "./image-bytes.ts";

const START_OF_SCAN = 0xda;
const TABLES = 0xdb;
const END = 0xd9;
export const END_MARKER = Buffer.of(0xff, END);
/** Markers without a length: restarts, which are inside a scan, and one that no encoder writes. */
const isBare = (marker: number) => (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;

/** How much of a file is in memory at a time. */
const PART_BYTES = 4 * 2 ** 20;
/** A marker and its length. */
const MARKER_BYTES = 4;

/** The number of scans, which is how often the decoder goes through all pixels, and whether the marker of the end was found. Markers: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1 */
export async function readScans(
  image: ImageBytes.ImageBytes,
): Promise<{ scans: number; hasEnd: boolean }> {
  const size = await ImageBytes.sizeOf(image);
  let count = 0;
  // a marker of the last two bytes has no room for a length, which the others have
  let hasEnd = (await ImageBytes.readPart(image, size - END_MARKER.length, size)).equals(
    END_MARKER,
  );
  for (let at = 2; at + MARKER_BYTES <= size;) {
    const part = await ImageBytes.readPart(image, at, at + PART_BYTES);
    const counted = scansIn(part);
    count += counted.scans;
    hasEnd ||= counted.isEnd;
    if (counted.isEnd || counted.read === 0) break;
    at += counted.read;
  }
  return { scans: count, hasEnd };
}

/** The scans that begin in the part, and how many bytes were read, which may be more than the part has. */
function scansIn(part: Buffer): { scans: number; read: number; isEnd: boolean } {
  let count = 0;
  let at = 0;
  while (at + MARKER_BYTES <= part.length) {
    // inside a scan the byte 0xff followed by 0x00 is data
    const found = part.indexOf(0xff, at);
    if (found < 0) return { scans: count, read: part.length, isEnd: false };
    at = found;
    if (at + MARKER_BYTES > part.length) break;
    const marker = part[at + 1]!;
    if (marker === END) return { scans: count, read: at, isEnd: true };
    if (marker === 0xff) at += 1;
    else if (marker === 0 || isBare(marker)) at += 2;
    else {
      if (marker === START_OF_SCAN) count += 1;
      at += 2 + part.readUInt16BE(at + 2);
    }
  }
  return { scans: count, read: at, isEnd: false };
}

/** The sum of the luminance table of ITU-T T.81, annex K, which encoders scale by their quality. */
const STANDARD_SUM = 3679;
/** What comes before the tables: at most some segments of metadata. */
const MAX_HEAD_BYTES = 2 ** 20;

/** The quality that the file was most likely encoded with, 10..100, on the scale of libjpeg; 100 if it has no table to tell. */
export async function quality(image: ImageBytes.ImageBytes): Promise<number> {
  const head = await ImageBytes.readPart(image, 0, MAX_HEAD_BYTES);
  let at = 2;
  while (at + MARKER_BYTES <= head.length && head[at] === 0xff && head[at + 1] !== START_OF_SCAN) {
    const end = at + 2 + head.readUInt16BE(at + 2);
    // the first table, if it has 8 bits, is that of luminance
    if (head[at + 1] === TABLES && head[at + 4] === 0 && end <= head.length) {
      const sum = head.subarray(at + 5, at + 5 + 64).reduce((total, value) => total + value, 0);
      const scale = (100 * sum) / STANDARD_SUM;
      return Math.max(10, Math.round(scale <= 100 ? 100 - scale / 2 : 5000 / scale));
    }
    at = end;
  }
  return 100;
}
