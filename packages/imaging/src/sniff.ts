import type * as Format from "./format.ts";

// Apart from identify.ts, so that delivery does not load the parsers of SVG.

/** The format by the first bytes; undefined if it is unknown. Names and content types are ignored. */
export function sniff(bytes: Buffer): Format.Input | "heic" | undefined {
  const ascii = (from: number, to: number) => bytes.toString("latin1", from, to);
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (ascii(0, 6) === "GIF89a" || ascii(0, 6) === "GIF87a") return "gif";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "webp";
  if (ascii(0, 4) === "II*\0" || ascii(0, 4) === "MM\0*") return "tiff";
  if (ascii(4, 8) === "ftyp") return isoBrand(bytes);
  return looksLikeSvg(bytes) ? "svg" : undefined;
}

/** ISO media files list their brands; AVIF and HEIC differ only in these at the beginning. */
function isoBrand(bytes: Buffer): "avif" | "heic" | undefined {
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 256);
  const brands = new Set<string>();
  for (let at = 8; at + 4 <= end; at += 4) brands.add(bytes.toString("latin1", at, at + 4));
  if (brands.has("avif") || brands.has("avis")) return "avif";
  return ["heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"].some((brand) =>
    brands.has(brand),
  )
    ? "heic"
    : undefined;
}

/** Patterns for the text before the root element. Each is tried where the last one ended, so that hostile text cannot cause backtracking. */
const PROLOGUE = [
  /\s+/y,
  /<\?xml[^>]*>/y,
  /<!--[\s\S]*?-->/y,
  /<!DOCTYPE[^>[]*(?:\[[^\]]*\][^>]*)?>/iy,
];

/** Whether the text begins like an SVG document: byte order mark, declaration, comments and document type may come first. */
function looksLikeSvg(bytes: Buffer): boolean {
  const start = bytes.toString("utf8", 0, 4096).replace(/^\uFEFF/, "");
  const matches = (pattern: RegExp) => ((pattern.lastIndex = at), pattern.test(start));
  let at = 0;
  for (
    let step = PROLOGUE.find(matches);
    step && step.lastIndex > at;
    step = PROLOGUE.find(matches)
  )
    at = step.lastIndex;
  return matches(/<svg[\s/>]/iy);
}
