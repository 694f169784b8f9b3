import type * as Format from "./format.ts";

// Apart from identify.ts, so that delivery does not load the parsers of SVG.

/** The format by the first bytes; undefined if it is unknown. Names and content types are ignored. */
export function sniff(bytes: Buffer): Format.Input | undefined {
  const ascii = (from: number, to: number) => bytes.toString("latin1", from, to);
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (ascii(0, 6) === "GIF89a" || ascii(0, 6) === "GIF87a") return "gif";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "webp";
  // the second two are BigTIFF
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(ascii(0, 4))) return "tiff";
  if (ascii(4, 8) === "ftyp") return isoBrand(bytes);
  return looksLikeSvg(bytes) ? "svg" : undefined;
}

/** Brands of HEIF, with any codec: ISO/IEC 23008-12, and the `mini` form of its third edition. */
const HEIF_BRANDS =
  "heic heix heim heis hevc hevx hevm hevs mif1 mif2 mif3 msf1 1pic miaf avci avcs jpeg jpgs j2ki j2is vvic vvis evbi evbs".split(
    " ",
  );

/** ISO media files list their brands; AVIF and HEIC differ only in these at the beginning. */
function isoBrand(bytes: Buffer): "avif" | "avis" | "heic" | undefined {
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 256);
  const brands = new Set<string>();
  for (let at = 8; at + 4 <= end; at += 4) brands.add(bytes.toString("latin1", at, at + 4));
  // libvips knows an AVIF by its first brand; others mention that a sequence follows
  if (bytes.toString("latin1", 8, 12) === "avis") return "avis";
  if (brands.has("avif") || brands.has("avis")) return "avif";
  return HEIF_BRANDS.some((brand) => brands.has(brand)) ? "heic" : undefined;
}

const ROOT = /^<(?:[\w.-]+:)?svg[\s/>]/i;

/** The text of an SVG from its root element on, and that element's name with its prefix. */
export function svgRoot(bytes: Buffer): { root: string; name: string } {
  const root = afterPrologue(bytes);
  return { root, name: /^<([\w.:-]*)/.exec(root)?.[1]?.toLowerCase() ?? "" };
}

/** Whether the text begins like an SVG document: byte order mark, declaration, comments, instructions and document type may come first. */
const looksLikeSvg = (bytes: Buffer): boolean => ROOT.test(afterPrologue(bytes));

/** Whether these bytes could be the beginning of an SVG: the text before its root element, such as a licence in a comment, does not end in them. */
export const isUnfinishedPrologue = (bytes: Buffer): boolean => {
  const rest = afterPrologue(bytes);
  return /^(?:<(?:[!?]|$)|$)/.test(rest) && /^(?:<|$)/.test(textOf(bytes).trimStart());
};

/** Parts of the text before the root element, with the beginning and the end of each; the longest beginning is first. */
const PROLOGUE: [begin: string, end: RegExp][] = [
  ["<!--", /-->/g],
  ["<?", /\?>/g],
  ["<!doctype", /(?:\]\s*)?>/g],
];

/** The text from its root element on; what is left of a part that does not end. Each character is read once, so that hostile text cannot cause backtracking. */
function afterPrologue(bytes: Buffer): string {
  const text = textOf(bytes);
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at += 1;
    const begin = text.slice(at, at + 9).toLowerCase();
    const part = PROLOGUE.find(([start]) => begin.startsWith(start));
    if (!part) return text.slice(at);
    const end = endOf(text, at, part);
    if (end === undefined) return text.slice(at);
    at = end;
  }
}

function endOf(text: string, at: number, [begin, pattern]: (typeof PROLOGUE)[number]) {
  let from = at + begin.length;
  if (begin === "<!doctype") {
    // declarations in brackets have their own `>`
    const [bracket, close] = [text.indexOf("[", from), text.indexOf(">", from)];
    if (bracket >= 0 && bracket < close) from = text.indexOf("]", bracket);
    if (from < 0) return undefined;
  }
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  return match ? pattern.lastIndex : undefined;
}

/** UTF-16 is read, too, so that its refusal has the right name. */
function textOf(bytes: Buffer): string {
  const order = bytes.toString("latin1", 0, 2);
  const encoding = order === "\xff\xfe" ? "utf-16le" : order === "\xfe\xff" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}
