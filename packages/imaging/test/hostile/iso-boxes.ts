import { ascii, u16, u32 } from "./bytes.ts";

// Boxes of ISO 14496-12; an AVIF or HEIC is a list of items in a `meta` box.

export const box = (name: string, ...parts: Buffer[]) => {
  const body = Buffer.concat([ascii(name), ...parts]);
  return Buffer.concat([u32(body.length + 4), body]);
};
const full = (name: string, version: number, ...parts: Buffer[]) =>
  box(name, Buffer.of(version, 0, 0, 0), ...parts);

/** The first box with this name, with its header. */
function findBox(bytes: Buffer, name: string) {
  const at = bytes.indexOf(name) - 4;
  return bytes.subarray(at, at + bytes.readUInt32BE(at));
}

const ispe = (width: number, height: number) => full("ispe", 0, u32(width), u32(height));

const codecs = {
  av01: { configuration: "av1C", brands: "avif\0\0\0\0avifmif1miafMA1B" },
  hvc1: { configuration: "hvcC", brands: "heic\0\0\0\0mif1heicmiaf" },
};

type Grid = {
  codec: keyof typeof codecs;
  columns: number;
  rows: number;
  width: number;
  height: number;
  /** Of the whole picture: boxes such as `irot`. */
  properties?: Buffer[];
  /** The item that a tile refers to, if it is not its own. */
  tileOf?: (item: number) => number;
  /** More boxes within `iref`. */
  references?: Buffer[];
};

/** A grid whose tiles all use the one picture: a small file of many pixels. */
export function grid(
  valid: Buffer,
  {
    codec,
    columns,
    rows,
    width,
    height,
    properties = [],
    tileOf = (item) => item,
    references = [],
  }: Grid,
) {
  const pixels = findBox(valid, "mdat").subarray(8);
  const tiles = columns * rows;
  const items = Array.from({ length: tiles }, (_, index) => index + 2);
  const plan = Buffer.concat([Buffer.of(0, 1, rows - 1, columns - 1), u32(width), u32(height)]);
  // tiles are hidden items: they are not pictures of their own
  const info = (id: number, type: string) =>
    box("infe", Buffer.of(2, 0, 0, id === 1 ? 0 : 1), u16(id), u16(0), ascii(`${type}\0`));
  const meta = (at: number) =>
    full(
      "meta",
      0,
      full("hdlr", 0, u32(0), ascii("pict"), Buffer.alloc(13)),
      full("pitm", 0, u16(1)),
      full(
        "iloc",
        0,
        Buffer.of(0x44, 0),
        u16(tiles + 1),
        Buffer.concat(
          [1, ...items].flatMap((id) => [
            u16(id),
            u16(0),
            u16(1),
            u32(id === 1 ? at : at + plan.length),
            u32(id === 1 ? plan.length : pixels.length),
          ]),
        ),
      ),
      full(
        "iinf",
        0,
        u16(tiles + 1),
        info(1, "grid"),
        Buffer.concat(items.map((id) => info(id, codec))),
      ),
      full(
        "iref",
        0,
        box("dimg", u16(1), u16(tiles), Buffer.concat(items.map((item) => u16(tileOf(item))))),
        ...references,
      ),
      box(
        "iprp",
        box(
          "ipco",
          ispe(width, height),
          findBox(valid, "ispe"),
          findBox(valid, codecs[codec].configuration),
          findBox(valid, "pixi"),
          ...properties,
        ),
        full(
          "ipma",
          0,
          u32(tiles + 1),
          Buffer.concat([
            u16(1),
            Buffer.of(2 + properties.length, 1, 4, ...properties.map((_, index) => 0x85 + index)),
          ]),
          Buffer.concat(items.map((id) => Buffer.concat([u16(id), Buffer.of(3, 2, 0x83, 4)]))),
        ),
      ),
    );
  const type = box("ftyp", ascii(codecs[codec].brands));
  const at = type.length + meta(0).length + 8;
  return Buffer.concat([type, meta(at), box("mdat", plan, pixels)]);
}

/** A copy in which the part that begins with the name is changed. */
export function modified(
  valid: Buffer,
  name: string,
  change: (bytes: Buffer, at: number) => void,
): Buffer {
  const changed = Buffer.from(valid);
  change(changed, changed.indexOf(name));
  return changed;
}

/** A copy whose first picture claims another size. */
export const sized = (valid: Buffer, width: number, height: number): Buffer =>
  modified(
    valid,
    "ispe",
    (bytes, at) => void bytes.writeUInt32BE(height, bytes.writeUInt32BE(width, at + 8)),
  );
