import * as Limits from "./limits.ts";

/** EXIF's Artist and Copyright: the only metadata of an original that a picture can carry, and only on request. */
export type Credit = { artist?: string; copyright?: string };

/** Text tags of the first directory (CIPA DC-008, section 4.6.4). */
const tags: Record<number, keyof Credit> = { 0x013b: "artist", 0x8298: "copyright" };
const TEXT = 2;

/**
 * The two texts of EXIF data, or of a whole TIFF, which has the same structure. Invalid data is ignored. Libraries for EXIF
 * read every tag of every directory with the sizes that the file claims: 64 KiB can keep them busy for seconds.
 */
export function read(exif: Buffer | undefined): Credit {
  const credit: Credit = {};
  const start = exif?.toString("latin1", 0, 6) === "Exif\0\0" ? 6 : 0;
  const tiff = exif?.subarray(start) ?? Buffer.alloc(0);
  const order = tiff.toString("latin1", 0, 4);
  if (tiff.length < 8 || (order !== "II*\0" && order !== "MM\0*")) return credit;
  const isLittle = order.startsWith("II");
  const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));

  const directory = long(4);
  if (directory + 2 > tiff.length) return credit;
  const entries = Math.min(short(directory), Limits.MAX_EXIF_TAGS);
  for (let at = directory + 2; at < directory + 2 + entries * 12; at += 12) {
    if (at + 12 > tiff.length) return credit;
    const name = tags[short(at)];
    if (!name || short(at + 2) !== TEXT) continue;
    const length = long(at + 4);
    const from = length > 4 ? long(at + 8) : at + 8;
    const text = cleaned(
      tiff.subarray(from, from + Math.min(length, 4 * Limits.MAX_CREDIT_CHARACTERS)),
    );
    if (text) credit[name] = text;
  }
  return credit;
}

/** The text as one line. A copyright can consist of two texts, the photographer's and the editor's, with a zero byte between them. */
function cleaned(bytes: Buffer): string {
  const text = bytes
    .toString("utf8")
    .split("\0")
    .map((part) => part.replace(/[\p{C}\s\uFFFD]+/gu, " ").trim())
    .filter(Boolean)
    .join("; ");
  return Array.from(text).slice(0, Limits.MAX_CREDIT_CHARACTERS).join("").trim();
}
