import { ascii, noise, u16, u32 } from "./bytes.ts";
import type { Case } from "./case.ts";

// Boxes of ISO 14496-12; an AVIF is a list of items in a `meta` box.

const box = (name: string, ...parts: Buffer[]) => {
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

/** A grid whose tiles all use the one picture: a small file of many pixels. */
function grid(valid: Buffer, columns: number, rows: number, width: number, height: number) {
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
        Buffer.concat(items.map((id) => info(id, "av01"))),
      ),
      full("iref", 0, box("dimg", u16(1), u16(tiles), Buffer.concat(items.map(u16)))),
      box(
        "iprp",
        box(
          "ipco",
          ispe(width, height),
          findBox(valid, "ispe"),
          findBox(valid, "av1C"),
          findBox(valid, "pixi"),
        ),
        full(
          "ipma",
          0,
          u32(tiles + 1),
          Buffer.concat([u16(1), Buffer.of(2, 1, 4)]),
          Buffer.concat(items.map((id) => Buffer.concat([u16(id), Buffer.of(3, 2, 0x83, 4)]))),
        ),
      ),
    );
  const type = box("ftyp", ascii("avif\0\0\0\0avifmif1miafMA1B"));
  const at = type.length + meta(0).length + 8;
  return Buffer.concat([type, meta(at), box("mdat", plan, pixels)]);
}

/** `valid` is 64 × 48. */
export function avifs(valid: Buffer): Case[] {
  const modified = (name: string, change: (bytes: Buffer, at: number) => void) => {
    const changed = Buffer.from(valid);
    change(changed, changed.indexOf(name));
    return changed;
  };
  const sized = (width: number, height: number) =>
    modified(
      "ispe",
      (bytes, at) => void bytes.writeUInt32BE(height, bytes.writeUInt32BE(width, at + 8)),
    );
  return [
    ["AVIF that claims 65,535 × 65,535", sized(65_535, 65_535)],
    ["AVIF that claims 2^32 - 1 × 2^32 - 1", sized(0xffffffff, 0xffffffff)],
    ["AVIF that claims 6,000 × 6,000 and has fewer pixels", sized(6000, 6000)],
    ["AVIF without width", sized(0, 48)],
    ["AVIF in a grid of 4", grid(valid, 2, 2, 128, 96)],
    ["AVIF in a grid of 15 × 16", grid(valid, 15, 16, 960, 768)],
    ["AVIF in a grid of 39 megapixels", grid(valid, 112, 114, 7168, 5472)],
    ["AVIF in a grid of 200 × 256 tiles", grid(valid, 200, 256, 12_800, 12_288)],
    [
      "AVIF in a grid that claims 60,000 × 60,000",
      grid(valid, 2, 2, 60_000, 60_000),
      "image.side_too_long",
    ],
    ["AVIF in a grid larger than its tiles", grid(valid, 2, 2, 6000, 6000)],
    [
      "AVIF whose pixels claim 4 GB",
      modified("iloc", (bytes, at) => bytes.fill(0xff, at + 20, at + 28)),
    ],
    [
      "AVIF with random bytes as items",
      modified("iinf", (bytes, at) => void noise(40, 17).copy(bytes, at + 8)),
    ],
    [
      "AVIF with a box of length 0",
      modified("iprp", (bytes, at) => bytes.writeUInt32BE(0, at - 4)),
    ],
    [
      "AVIF with a box of 4 GB",
      modified("iprp", (bytes, at) => bytes.writeUInt32BE(0xffffffff, at - 4)),
    ],
    [
      "AVIF with random bytes as pixels",
      modified("mdat", (bytes, at) => void noise(bytes.length - at - 8, 18).copy(bytes, at + 4)),
    ],
  ];
}
