/** Colour as HEIF's `nclx` and AVIF have it: numbers of ITU-T H.273. */
export type Cicp = { primaries: number; transfer: number };

/** The stored values of black and white, 0..1, where they are not the smallest and the largest. */
export type Range = { black: number; white: number };

type Xy = [x: number, y: number];
type Triple = [number, number, number];

const D65: Xy = [0.3127, 0.329];
const WHITE_C: Xy = [0.31, 0.316];
const DCI_WHITE: Xy = [0.314, 0.351];

/** Red, green, blue and white by the number of H.273, table 2. */
const PRIMARIES: Record<number, [red: Xy, green: Xy, blue: Xy, white: Xy]> = {
  4: [[0.67, 0.33], [0.21, 0.71], [0.14, 0.08], WHITE_C],
  5: [[0.64, 0.33], [0.29, 0.6], [0.15, 0.06], D65],
  6: [[0.63, 0.34], [0.31, 0.595], [0.155, 0.07], D65],
  7: [[0.63, 0.34], [0.31, 0.595], [0.155, 0.07], D65],
  8: [[0.681, 0.319], [0.243, 0.692], [0.145, 0.049], WHITE_C],
  9: [[0.708, 0.292], [0.17, 0.797], [0.131, 0.046], D65],
  11: [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06], DCI_WHITE],
  12: [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06], D65],
  22: [[0.63, 0.34], [0.295, 0.605], [0.155, 0.077], D65],
};
const SRGB_PRIMARIES: (typeof PRIMARIES)[number] = [[0.64, 0.33], [0.3, 0.6], [0.15, 0.06], D65];

const PQ = 16;
const HLG = 18;

/** Light, 1 is white, by the number of H.273, table 3. All others are read as sRGB, as browsers do with the curves of television. */
const CURVES: Record<number, (value: number) => number> = {
  4: (value) => value ** 2.2,
  5: (value) => value ** 2.8,
  8: (value) => value,
  17: (value) => value ** 2.6,
  [PQ]: (value) => toneMapped(pqNits(value) / REFERENCE_WHITE_NITS),
  [HLG]: (value) => toneMapped((HLG_PEAK_NITS * hlgScene(value) ** 1.2) / REFERENCE_WHITE_NITS),
};
const srgb = (value: number) =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

/** White of a page beside an HDR picture: ITU-R BT.2408. */
const REFERENCE_WHITE_NITS = 203;
const HLG_PEAK_NITS = 1000;

/** ITU-R BT.2100, table 4. */
function pqNits(value: number): number {
  const [m1, m2] = [2610 / 16384, (2523 / 4096) * 128];
  const [c1, c2, c3] = [3424 / 4096, (2413 / 4096) * 32, (2392 / 4096) * 32];
  const power = value ** (1 / m2);
  return 10_000 * (Math.max(0, power - c1) / (c2 - c3 * power)) ** (1 / m1);
}

/** ITU-R BT.2100, table 5. */
function hlgScene(value: number): number {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  return value <= 0.5 ? value ** 2 / 3 : (Math.exp((value - c) / a) + b) / 12;
}

/** Keeps light up to 3/4 of white, and brings what is above between that and white. */
function toneMapped(light: number): number {
  const knee = 0.75;
  if (light <= knee) return light;
  return knee + (1 - knee) * (1 - Math.exp(-(light - knee) / (1 - knee)));
}

/** Whether the values are of HDR, brighter than white. */
export const isHdr = ({ transfer }: Cicp): boolean => transfer === PQ || transfer === HLG;

/** An ICC profile for these numbers, with HDR reduced to what a page can show; undefined for sRGB and for numbers that say nothing, unless its values have a range. */
export function create({ primaries, transfer }: Cicp, range?: Range): Buffer | undefined {
  const colours = PRIMARIES[primaries];
  const curve = CURVES[transfer];
  if (!colours && !curve && !range) return undefined;
  const { black, white } = range ?? { black: 0, white: 1 };
  const light = curve ?? srgb;
  return profile(colours ?? SRGB_PRIMARIES, (value) =>
    light(Math.min(1, Math.max(0, (value - black) / (white - black)))),
  );
}

/** A matrix profile: ICC.1:2001-04. */
function profile(
  [red, green, blue, white]: (typeof PRIMARIES)[number],
  curve: (value: number) => number,
) {
  const columns = toD50(red, green, blue, white);
  const trc = curveTag(curve);
  const tags: [name: string, data: Buffer][] = [
    ["desc", descriptionTag("CICP")],
    ["cprt", textTag("No copyright")],
    ["wtpt", xyzTag(D50)],
    ["rXYZ", xyzTag(columns[0])],
    ["gXYZ", xyzTag(columns[1])],
    ["bXYZ", xyzTag(columns[2])],
    ["rTRC", trc],
    ["gTRC", trc],
    ["bTRC", trc],
  ];
  const header = Buffer.alloc(128 + 4 + tags.length * 12);
  header.writeUInt32BE(0x02100000, 8);
  header.write("mntrRGB XYZ ", 12, "latin1");
  header.writeUInt16BE(2000, 24);
  header.writeUInt16BE(1, 26);
  header.writeUInt16BE(1, 28);
  header.write("acsp", 36, "latin1");
  xyzTag(D50).copy(header, 68, 8);
  header.writeUInt32BE(tags.length, 128);
  let at = header.length;
  const data: Buffer[] = [];
  for (const [index, [name, content]] of tags.entries()) {
    const entry = 132 + index * 12;
    header.write(name, entry, "latin1");
    // the three curves are one
    const isSame = content === trc && data.includes(trc);
    if (!isSame) {
      data.push(content);
      at += content.length;
    }
    header.writeUInt32BE(at - content.length, entry + 4);
    header.writeUInt32BE(content.length, entry + 8);
  }
  header.writeUInt32BE(at, 0);
  return Buffer.concat([header, ...data]);
}

const D50: Triple = [0.9642, 1, 0.8249];

/** The three columns of the matrix from light to XYZ, adapted to D50 with Bradford's method. */
function toD50(red: Xy, green: Xy, blue: Xy, white: Xy): [Triple, Triple, Triple] {
  const xyz = ([x, y]: Xy): Triple => [x / y, 1, (1 - x - y) / y];
  const primaries = [xyz(red), xyz(green), xyz(blue)] as const;
  const scales = solve(primaries, xyz(white));
  const bradford: Triple[] = [
    [0.8951, 0.2664, -0.1614],
    [-0.7502, 1.7135, 0.0367],
    [0.0389, -0.0685, 1.0296],
  ];
  const apply = (matrix: Triple[], [x, y, z]: Triple) =>
    matrix.map(([a, b, c]) => a * x + b * y + c * z) as Triple;
  const columnsOf = (matrix: Triple[]) =>
    [0, 1, 2].map((column) => matrix.map((row) => row[column]!) as Triple) as [
      Triple,
      Triple,
      Triple,
    ];
  const source = apply(bradford, xyz(white));
  const target = apply(bradford, D50);
  const adapt = (colour: Triple): Triple => {
    const cone = apply(bradford, colour).map(
      (value, index) => (value * target[index]!) / source[index]!,
    );
    return solve(columnsOf(bradford), cone as Triple);
  };
  return primaries.map((colour, index) =>
    adapt(colour.map((value) => value * scales[index]!) as Triple),
  ) as [Triple, Triple, Triple];
}

/** The factors of three columns whose sum is the result (Cramer's rule). */
function solve([a, b, c]: readonly [Triple, Triple, Triple], result: Triple): Triple {
  const determinant = (x: Triple, y: Triple, z: Triple) =>
    x[0] * (y[1] * z[2] - z[1] * y[2]) -
    y[0] * (x[1] * z[2] - z[1] * x[2]) +
    z[0] * (x[1] * y[2] - y[1] * x[2]);
  const all = determinant(a, b, c);
  return [
    determinant(result, b, c) / all,
    determinant(a, result, c) / all,
    determinant(a, b, result) / all,
  ];
}

const signature = (type: string, length: number) => {
  const tag = Buffer.alloc(Math.ceil(length / 4) * 4);
  tag.write(type, "latin1");
  return tag;
};

function xyzTag(values: Triple): Buffer {
  const tag = signature("XYZ ", 20);
  for (const [index, value] of values.entries())
    tag.writeInt32BE(Math.round(value * 65_536), 8 + index * 4);
  return tag;
}

const CURVE_POINTS = 4096;

function curveTag(curve: (value: number) => number): Buffer {
  const tag = signature("curv", 12 + CURVE_POINTS * 2);
  tag.writeUInt32BE(CURVE_POINTS, 8);
  for (let point = 0; point < CURVE_POINTS; point++) {
    const light = Math.min(1, Math.max(0, curve(point / (CURVE_POINTS - 1))));
    tag.writeUInt16BE(Math.round(light * 65_535), 12 + point * 2);
  }
  return tag;
}

function textTag(text: string): Buffer {
  const tag = signature("text", 8 + text.length + 1);
  tag.write(text, 8, "latin1");
  return tag;
}

function descriptionTag(text: string): Buffer {
  // after the text: an empty one in Unicode (8 bytes) and one for Macintosh (3 and 67 bytes)
  const tag = signature("desc", 12 + text.length + 1 + 8 + 70);
  tag.writeUInt32BE(text.length + 1, 8);
  tag.write(text, 12, "latin1");
  return tag;
}
