import * as ImageBytes from "./image-bytes.ts";

/** What an AVIF says of its colours without a profile: numbers of ITU-T H.273, and how its values are stored. */
export type AvifColour = {
  primaries: number;
  transfer: number;
  /** Values from 16 to 235 (of 255) instead of all. */
  isLimited: boolean;
  isMonochrome: boolean;
  bits: 8 | 10 | 12;
};

type Box = { type: string; start: number; content: number; end: number };

/** Everything in front of the pixels; real ones have a few kilobytes. */
const MAX_META_BYTES = 2 ** 20;

/** ISO/IEC 14496-12 and 23008-12. undefined for a file that has a profile, says nothing, or is built in another way. */
export async function read(image: ImageBytes.ImageBytes): Promise<AvifColour | undefined> {
  const start = await ImageBytes.readPart(image, 0, MAX_META_BYTES);
  return parse(start)?.colour;
}

function parse(bytes: Buffer) {
  try {
    return parseMeta(bytes);
  } catch (error) {
    // damaged, which the decoder refuses
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `colour` only where it is named by numbers and not by a profile. */
type Place = {
  meta: Box;
  iloc: Box;
  iprp: Box;
  ipco: Box;
  /** How many there are. */
  properties: number;
  association: NonNullable<ReturnType<typeof findAssociation>>;
  colour?: AvifColour;
};

function parseMeta(bytes: Buffer): Place | undefined {
  const meta = boxes(bytes, 0, bytes.length).find(({ type }) => type === "meta");
  if (!meta || meta.end > bytes.length) return undefined;
  const inside = boxes(bytes, meta.content + 4, meta.end);
  const find = (type: string, list = inside) => list.find((box) => box.type === type);
  const [pitm, iloc, iprp] = [find("pitm"), find("iloc"), find("iprp")];
  if (!pitm || !iloc || !iprp) return undefined;
  const properties = boxes(bytes, iprp.content, iprp.end);
  const ipco = find("ipco", properties);
  if (!ipco) return undefined;
  const all = boxes(bytes, ipco.content, ipco.end);
  const primary =
    bytes[pitm.content] === 0
      ? bytes.readUInt16BE(pitm.content + 4)
      : bytes.readUInt32BE(pitm.content + 4);
  const association = properties
    .filter(({ type }) => type === "ipma")
    .map((ipma) => findAssociation(bytes, ipma, primary))
    .find((found) => found !== undefined);
  const codec = all.find(({ type }) => type === "av1C");
  if (!association || !codec) return undefined;
  const colours = association.indexes
    .map((index) => all[index - 1])
    .filter((box) => box?.type === "colr");
  const kinds = colours.map((box) => bytes.toString("latin1", box!.content, box!.content + 4));
  const numbers = colours[kinds.indexOf("nclx")];
  const place = { meta, iloc, iprp, ipco, properties: all.length, association };
  if (!numbers || kinds.includes("prof") || kinds.includes("rICC")) return place;
  const stored = bytes[codec.content + 2]!;
  const colour: AvifColour = {
    primaries: bytes.readUInt16BE(numbers.content + 4),
    transfer: bytes.readUInt16BE(numbers.content + 6),
    isLimited: (bytes[numbers.content + 10]! & 0x80) === 0,
    isMonochrome: (stored & 0x10) !== 0,
    bits: (stored & 0x40) === 0 ? 8 : (stored & 0x20) === 0 ? 10 : 12,
  };
  return { ...place, colour };
}

/** The properties of an item: the box with the list, where the list ends, and where its length is. */
function findAssociation(bytes: Buffer, ipma: Box, item: number) {
  const [isLong, isWide] = [bytes[ipma.content]! > 0, (bytes[ipma.content + 3]! & 1) === 1];
  let at = ipma.content + 8;
  for (let left = bytes.readUInt32BE(ipma.content + 4); left > 0 && at < ipma.end; left--) {
    const id = isLong ? bytes.readUInt32BE(at) : bytes.readUInt16BE(at);
    const countAt = at + (isLong ? 4 : 2);
    const size = isWide ? 2 : 1;
    const first = countAt + 1;
    at = first + bytes[countAt]! * size;
    const indexes = Array.from({ length: bytes[countAt]! }, (_, index) =>
      isWide ? bytes.readUInt16BE(first + index * 2) & 0x7fff : bytes[first + index]! & 0x7f,
    );
    if (id === item) return { ipma, countAt, end: at, isWide, indexes };
  }
  return undefined;
}

/** The AVIF with a colour profile, which libvips follows; unchanged if it is built in a way that has no place for one. */
export const withProfile = (bytes: Buffer, profile: Buffer): Buffer =>
  withColour(bytes, Buffer.concat([Buffer.from("prof"), profile]));

/** The AVIF with one more box about its colour. */
export function withColour(bytes: Buffer, colour: Buffer): Buffer {
  const parsed = parse(bytes.subarray(0, MAX_META_BYTES));
  if (!parsed) return bytes;
  const { meta, iloc, iprp, ipco, properties, association } = parsed;
  const { ipma, countAt, end, isWide } = association;
  const index = properties + 1;
  if (index > (isWide ? 0x7fff : 0x7f) || bytes[countAt] === 0xff) return bytes;
  const box = Buffer.alloc(8 + colour.length);
  box.writeUInt32BE(box.length);
  box.write("colr", 4, "latin1");
  colour.copy(box, 8);
  const reference = isWide ? Buffer.of(index >> 8, index & 0xff) : Buffer.of(index);

  const changed = Buffer.from(bytes);
  const grow = (at: number, by: number) => changed.writeUInt32BE(changed.readUInt32BE(at) + by, at);
  grow(ipco.start, box.length);
  grow(ipma.start, reference.length);
  for (const outer of [iprp, meta]) grow(outer.start, box.length + reference.length);
  changed[countAt]! += 1;
  moveItems(changed, iloc, meta.end, box.length + reference.length);
  const inserts = [
    { at: ipco.end, data: box },
    { at: end, data: reference },
  ].toSorted((a, b) => a.at - b.at);
  const [one, two] = inserts as [(typeof inserts)[0], (typeof inserts)[0]];
  return Buffer.concat([
    changed.subarray(0, one.at),
    one.data,
    changed.subarray(one.at, two.at),
    two.data,
    changed.subarray(two.at),
  ]);
}

/** Adds `by` to the places of all items that are stored behind `from`. */
function moveItems(bytes: Buffer, iloc: Box, from: number, by: number) {
  const version = bytes[iloc.content]!;
  const sizes = bytes.readUInt16BE(iloc.content + 4);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version > 0 ? sizes & 15 : 0;
  const number = (at: number, size: number) =>
    size === 8 ? Number(bytes.readBigUInt64BE(at)) : size === 4 ? bytes.readUInt32BE(at) : 0;
  const add = (at: number, size: number) => {
    if (size === 8) bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at) + BigInt(by), at);
    if (size === 4) bytes.writeUInt32BE(bytes.readUInt32BE(at) + by, at);
  };
  let at = iloc.content + 6;
  const isLong = version === 2;
  let items = isLong ? bytes.readUInt32BE(at) : bytes.readUInt16BE(at);
  at += isLong ? 4 : 2;
  for (; items > 0 && at < iloc.end; items--) {
    at += isLong ? 4 : 2;
    const method = version > 0 ? bytes.readUInt16BE(at) & 15 : 0;
    // and the number of the file with the data, which is this one
    at += version > 0 ? 4 : 2;
    const baseAt = at;
    const base = number(at, baseSize);
    at += baseSize;
    let extents = bytes.readUInt16BE(at);
    at += 2;
    // one place for all parts of the item is moved, or each part's own
    const isBased = baseSize > 0 && base >= from;
    if (method === 0 && isBased) add(baseAt, baseSize);
    for (; extents > 0; extents--) {
      at += indexSize;
      if (method === 0 && !isBased && base + number(at, offsetSize) >= from) add(at, offsetSize);
      at += offsetSize + lengthSize;
    }
  }
}

/** The boxes between two places. A box without a size, or with one of 64 bits, ends the list: only pixels have one. */
function boxes(bytes: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= Math.min(to, bytes.length);) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    found.push({
      type: bytes.toString("latin1", at + 4, at + 8),
      start: at,
      content: at + 8,
      end: at + size,
    });
    at += size;
  }
  return found;
}
