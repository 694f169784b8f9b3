import * as ImageBytes from "./image-bytes.ts";

/** A directory of a TIFF, which describes one picture in it. */
export type Page = {
  /** Where the directory is, in bytes from the start of the file. */
  at: number;
  /** In pixels. */
  width: number;
  height: number;
  /** Said to be a smaller copy of another picture of the file. */
  isReduced: boolean;
  isMask: boolean;
  /** Sensor data of a camera: a DNG, or a picture with a colour filter array. */
  isRaw: boolean;
};

/** Directories and entries that are read; a scanner's document may have more pages, which are not used. */
const MAX_PAGES = 32;
const MAX_ENTRIES = 500;

/** Tags of TIFF 6.0, TIFF/EP and DNG. */
const NEW_SUBFILE_TYPE = 254;
const WIDTH = 256;
const HEIGHT = 257;
const PHOTOMETRIC = 262;
const SUB_DIRECTORIES = 330;
const DNG_VERSION = 50706;
const COLOUR_FILTER_ARRAY = 32803;
const LINEAR_RAW = 34892;

/**
 * The pages of a TIFF or BigTIFF, the first one first, each followed by the pages inside it. Ends without an error where the
 * file is damaged.
 */
export async function read(image: ImageBytes.ImageBytes): Promise<Page[]> {
  const layout = layoutOf(await ImageBytes.readPart(image, 0, 16));
  if (!layout) return [];
  const pages: Page[] = [];
  const seen = new Set<number>();
  const waiting = [layout.first];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (at === 0 || seen.has(at) || seen.size >= MAX_PAGES) continue;
    seen.add(at);
    const directory = await readDirectory(image, layout, at);
    if (!directory) continue;
    pages.push(directory.page);
    waiting.unshift(...directory.inner, directory.next);
  }
  return pages;
}

/**
 * The page that is the image: the first one, unless that is a thumbnail of a later one. It is if the file says so, or if it is
 * small and a page of the same shape has at least twice its sides.
 */
export function main(pages: readonly Page[]): Page | undefined {
  const [first, ...others] = pages.filter(({ isMask }) => !isMask);
  if (!first) return undefined;
  const larger = others
    .filter((page) => !page.isReduced && page.width * page.height > first.width * first.height)
    .filter((page) => first.isReduced || isThumbnailOf(first, page))
    .toSorted((a, b) => b.width * b.height - a.width * a.height);
  return larger[0] ?? first;
}

/** The first bytes of the file, changed so that the page is its first one. */
export function headerWithFirst(header: Buffer, page: Page): Buffer {
  const changed = Buffer.from(header);
  const layout = layoutOf(header);
  if (layout?.isBig) changed.set(layout.bytesOf(page.at, 8), 8);
  else if (layout) changed.set(layout.bytesOf(page.at, 4), 4);
  return changed;
}

const MAX_THUMBNAIL_EDGE = 640;

/** Sides of a thumbnail are rounded to whole pixels. */
function isThumbnailOf(page: Page, { width, height }: Page): boolean {
  const by = width / page.width;
  return (
    Math.max(page.width, page.height) <= MAX_THUMBNAIL_EDGE &&
    by >= 2 &&
    Math.abs(height - page.height * by) <= by
  );
}

type Layout = {
  isBig: boolean;
  first: number;
  /** An unsigned number of `bytes` bytes; 0 where the bytes end. */
  number: (from: Buffer, at: number, bytes: 2 | 4 | 8) => number;
  bytesOf: (value: number, bytes: 4 | 8) => Buffer;
};

function layoutOf(header: Buffer): Layout | undefined {
  const magic = header.toString("latin1", 0, 4);
  const isLittle = magic.startsWith("II");
  const isBig = magic === "II+\0" || magic === "MM\0+";
  if ((!isBig && magic !== "II*\0" && magic !== "MM\0*") || header.length < (isBig ? 16 : 8))
    return undefined;
  const number: Layout["number"] = (from, at, bytes) => {
    if (at + bytes > from.length) return 0;
    if (bytes === 8) return Number(isLittle ? from.readBigUInt64LE(at) : from.readBigUInt64BE(at));
    return isLittle ? from.readUIntLE(at, bytes) : from.readUIntBE(at, bytes);
  };
  const bytesOf: Layout["bytesOf"] = (value, bytes) => {
    const written = Buffer.alloc(8);
    if (!isLittle) written.writeBigUInt64BE(BigInt(value));
    else written.writeBigUInt64LE(BigInt(value));
    return isLittle ? written.subarray(0, bytes) : written.subarray(8 - bytes);
  };
  return { isBig, first: number(header, isBig ? 8 : 4, isBig ? 8 : 4), number, bytesOf };
}

/** Bytes of a value by its type: TIFF 6.0, section 2, and BigTIFF's types of 8 bytes. */
const SIZES: Record<number, 1 | 2 | 4 | 8> = { 1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 };

/** undefined if there is no whole directory at this place. */
async function readDirectory(image: ImageBytes.ImageBytes, layout: Layout, at: number) {
  const { isBig, number } = layout;
  const [countBytes, entryBytes, offsetBytes] = isBig
    ? ([8, 20, 8] as const)
    : ([2, 12, 4] as const);
  const count = number(await ImageBytes.readPart(image, at, at + countBytes), 0, countBytes);
  if (count === 0 || count > MAX_ENTRIES) return undefined;
  const length = countBytes + count * entryBytes + offsetBytes;
  const bytes = await ImageBytes.readPart(image, at, at + length);
  if (bytes.length < length - offsetBytes) return undefined;

  const values = new Map<number, number[]>();
  for (let entry = countBytes; entry < countBytes + count * entryBytes; entry += entryBytes) {
    const tag = number(bytes, entry, 2);
    const size = SIZES[number(bytes, entry + 2, 2)];
    const length = Math.min(number(bytes, entry + 4, offsetBytes), MAX_PAGES);
    if (!size) continue;
    const inline = entry + 4 + offsetBytes;
    const from = number(bytes, inline, offsetBytes);
    const isInline = length * size <= offsetBytes;
    if (!isInline && tag !== SUB_DIRECTORIES) continue;
    const data = isInline
      ? bytes.subarray(inline, inline + offsetBytes)
      : await ImageBytes.readPart(image, from, from + length * size);
    values.set(
      tag,
      Array.from({ length }, (_, index) =>
        size === 1 ? (data[index] ?? 0) : number(data, index * size, size),
      ),
    );
  }
  const value = (tag: number) => values.get(tag)?.[0] ?? 0;
  const type = value(NEW_SUBFILE_TYPE);
  const page: Page = {
    at,
    width: value(WIDTH),
    height: value(HEIGHT),
    isReduced: (type & 1) !== 0,
    isMask: (type & 4) !== 0,
    isRaw:
      values.has(DNG_VERSION) || [COLOUR_FILTER_ARRAY, LINEAR_RAW].includes(value(PHOTOMETRIC)),
  };
  return {
    page,
    inner: values.get(SUB_DIRECTORIES) ?? [],
    next: number(bytes, length - offsetBytes, offsetBytes),
  };
}
