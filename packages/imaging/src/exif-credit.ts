import { type Credit, clean, decode } from "./credit-text.ts";
import * as ImageBytes from "./image-bytes.ts";
import * as Limits from "./limits.ts";

export type { Credit } from "./credit-text.ts";

/** Text tags of the first directory (CIPA DC-008, section 4.6.4). */
const tags: Record<number, keyof Credit> = { 0x013b: "artist", 0x8298: "copyright" };
/** ASCII, and UTF-8 since EXIF 3.0. */
const TEXTS = [2, 129];

/**
 * The two texts of EXIF data, or of a whole TIFF, which has the same structure. Invalid data is ignored. Libraries for EXIF
 * read every tag of every directory with the sizes that the file claims: 64 KiB can keep them busy for seconds.
 */
export async function read(exif: ImageBytes.ImageBytes | undefined): Promise<Credit> {
  const credit: Credit = {};
  if (exif === undefined) return credit;
  const size = await ImageBytes.sizeOf(exif);
  const begin = await ImageBytes.readPart(exif, 0, 14);
  const start = begin.toString("latin1", 0, 6) === "Exif\0\0" ? 6 : 0;
  const header = begin.subarray(start, start + 8);
  const order = header.toString("latin1", 0, 4);
  if (header.length < 8 || (order !== "II*\0" && order !== "MM\0*")) return credit;
  const isLittle = order.startsWith("II");
  const short = (from: Buffer, at: number) =>
    isLittle ? from.readUInt16LE(at) : from.readUInt16BE(at);
  const long = (from: Buffer, at: number) =>
    isLittle ? from.readUInt32LE(at) : from.readUInt32BE(at);

  // positions count from the header
  const part = (from: number, length: number) =>
    ImageBytes.readPart(exif, start + from, start + from + length);
  const directoryAt = long(header, 4);
  if (start + directoryAt + 2 > size) return credit;
  const directory = await part(directoryAt, 2 + Limits.MAX_EXIF_TAGS * 12);
  const entries = Math.min(short(directory, 0), Limits.MAX_EXIF_TAGS);
  for (let at = 2; at < 2 + entries * 12; at += 12) {
    if (at + 12 > directory.length) return credit;
    const name = tags[short(directory, at)];
    if (!name || !TEXTS.includes(short(directory, at + 2))) continue;
    const length = long(directory, at + 4);
    const from = length > 4 ? long(directory, at + 8) : directoryAt + at + 8;
    const bytes = await part(from, Math.min(length, 4 * Limits.MAX_CREDIT_CHARACTERS));
    // a copyright can be two texts, the photographer's and the editor's, with a zero byte between them
    const text = clean(decode(bytes));
    if (text) credit[name] = text;
  }
  return credit;
}
