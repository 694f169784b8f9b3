import { crc32, deflateSync } from "node:zlib";

import sharp from "sharp";

// Colour conversion by the published formulas, to check the pipeline against something other than libvips.

type Triple = [number, number, number];
type Matrix = [Triple, Triple, Triple];

/** RGB to XYZ under D50, as ICC profiles define it (rows are X, Y, Z), and the exponent of its curve. The values are from each space's own standard, adapted to D50 by Bradford. */
export const spaces: Record<
  string,
  { matrix: Matrix; decode: (value: number) => number; gamma?: number }
> = {
  // https://registry.color.org/rgb-registry/displayp3: sRGB's curve
  p3: {
    matrix: [
      [0.51512, 0.2919798, 0.157104],
      [0.2411977, 0.6922442, 0.0665731],
      [-0.0010505, 0.041881, 0.7843706],
    ],
    decode: linear,
  },
  // https://www.adobe.com/digitalimag/pdfs/AdobeRGB1998.pdf
  adobe: {
    matrix: [
      [0.6097559, 0.2052401, 0.149224],
      [0.3111242, 0.625656, 0.0632197],
      [0.0194811, 0.0608902, 0.7448387],
    ],
    gamma: 2.19921875,
    decode: (value) => value ** 2.19921875,
  },
  // ROMM RGB: far wider than anything a screen shows (ISO 22028-2), here with a plain curve
  prophoto: {
    matrix: [
      [0.7976749, 0.1351917, 0.0313534],
      [0.2880402, 0.7118741, 0.0000857],
      [0, 0, 0.82521],
    ],
    gamma: 1.80078125,
    decode: (value) => value ** 1.80078125,
  },
};

const fromXyz: Matrix = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
];
const toXyz: Matrix = [
  [0.4360747, 0.3850649, 0.1430804],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733],
];
const white: Triple = [0.96422, 1, 0.82521];

const times = (matrix: Matrix, [a, b, c]: Triple): Triple =>
  matrix.map((row) => row[0] * a + row[1] * b + row[2] * c) as Triple;

function linear(value: number) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
const curved = (value: number) =>
  value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;

/** What an sRGB screen shows of a colour of another space, 0..255; what it cannot show is cut off. */
export function inSrgb(space: string, colour: Triple): Triple {
  const { matrix, decode } = spaces[space]!;
  const xyz = times(matrix, colour.map((value) => decode(value / 255)) as Triple);
  return times(fromXyz, xyz).map((value) =>
    Math.round(255 * curved(Math.min(1, Math.max(0, value)))),
  ) as Triple;
}

/** CIE76: 1 is about what an eye can tell. */
export function deltaE(one: Triple, other: Triple): number {
  const [a, b] = [lab(one), lab(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function lab(colour: Triple): Triple {
  const xyz = times(toXyz, colour.map((value) => linear(value / 255)) as Triple);
  const [x, y, z] = xyz.map((value, index) => {
    const part = value / white[index]!;
    return part > 216 / 24389 ? Math.cbrt(part) : ((24389 / 27) * part + 16) / 116;
  }) as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Sixteen colours, none at the very edge of what sRGB shows when it is read in a wide space. */
export const swatches: Triple[] = [
  [0, 0, 0],
  [255, 255, 255],
  [128, 128, 128],
  [40, 40, 40],
  [200, 90, 60],
  [90, 160, 80],
  [60, 90, 180],
  [210, 190, 60],
  [150, 70, 150],
  [70, 150, 160],
  [240, 220, 200],
  [100, 60, 40],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [180, 200, 220],
];

/** The swatches as four rows of four squares, said to be of a space by the profile in the file. Built by hand: sharp would convert. */
export async function chart(space: string, kind: "png" | "png16" | "jpeg" = "png", edge = 40) {
  const side = edge * 4;
  const data = new Uint16Array(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const swatch = swatches[Math.floor(y / edge) * 4 + Math.floor(x / edge)]!;
      for (const band of [0, 1, 2] as const)
        data[(y * side + x) * 3 + band] = swatch[band] * (kind === "png16" ? 257 : 1);
    }
  const raw = { width: side, height: side, channels: 3 as const };
  if (kind === "jpeg") {
    const jpeg = await sharp(Uint8Array.from(data), { raw })
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toBuffer();
    const body = Buffer.concat([Buffer.from("ICC_PROFILE\0\u0001\u0001"), icc(space)]);
    const segment = Buffer.concat([Buffer.from([0xff, 0xe2]), short(body.length + 2), body]);
    return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
  }
  const png = await (
    kind === "png16"
      ? sharp(data, { raw }).toColourspace("rgb16")
      : sharp(Uint8Array.from(data), { raw })
  )
    .png()
    .toBuffer();
  const profile = chunk("iCCP", Buffer.concat([Buffer.from("wide\0\0"), deflateSync(icc(space))]));
  return Buffer.concat([png.subarray(0, 33), profile, png.subarray(33)]);
}

/** The middle of each square, in the chart's order. */
export async function colours(picture: Buffer): Promise<Triple[]> {
  const { data, info } = await sharp(picture)
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return swatches.map((_, index) => {
    const x = Math.floor(((index % 4) + 0.5) * (info.width / 4));
    const y = Math.floor((Math.floor(index / 4) + 0.5) * (info.height / 4));
    return [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)] as Triple;
  });
}

/** A display profile of version 2 with three primaries and one curve: https://www.color.org/icc32.pdf */
function icc(space: string): Buffer {
  const { matrix, gamma } = spaces[space]!;
  const xyz = (values: Triple) =>
    Buffer.concat([Buffer.from("XYZ \0\0\0\0"), ...values.map((value) => fixed(value))]);
  const column = (at: 0 | 1 | 2) => xyz(matrix.map((row) => row[at]) as Triple);
  const curve = gamma === undefined ? sampled() : power(gamma);
  const tags: Record<string, Buffer> = {
    desc: Buffer.concat([
      Buffer.from("desc\0\0\0\0"),
      long(5),
      Buffer.from("wide\0"),
      Buffer.alloc(78),
    ]),
    cprt: Buffer.from("text\0\0\0\0none\0"),
    wtpt: xyz(white),
    rXYZ: column(0),
    gXYZ: column(1),
    bXYZ: column(2),
    rTRC: curve,
    gTRC: curve,
    bTRC: curve,
  };
  const table: Buffer[] = [long(Object.keys(tags).length)];
  const bodies: Buffer[] = [];
  let at = 128 + 4 + 12 * Object.keys(tags).length;
  for (const [name, body] of Object.entries(tags)) {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    table.push(Buffer.from(name), long(at), long(body.length));
    bodies.push(padded);
    at += padded.length;
  }
  const head = Buffer.alloc(128);
  head.writeUInt32BE(at, 0);
  head.writeUInt32BE(0x02400000, 8);
  head.write("mntrRGB XYZ ", 12);
  head.write("acsp", 36);
  Buffer.concat(white.map((value) => fixed(value))).copy(head, 68);
  return Buffer.concat([head, ...table, ...bodies]);
}

const power = (gamma: number) =>
  Buffer.concat([Buffer.from("curv\0\0\0\0"), long(1), short(Math.round(gamma * 256)), short(0)]);

function sampled(): Buffer {
  const points = Array.from({ length: 1024 }, (_, at) =>
    short(Math.round(65535 * linear(at / 1023))),
  );
  return Buffer.concat([Buffer.from("curv\0\0\0\0"), long(1024), ...points]);
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

const fixed = (value: number) => long(Math.round(value * 65536));

function chunk(name: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([long(data.length), typed, sum]);
}
