// SSIMULACRA 2.1, how different two pictures look: https://github.com/cloudinary/ssimulacra2. 100 is the same, 90 cannot be
// told apart, 70 is high quality, and 1 to 2 points are below notice. No package on npm has this version.

/** sRGB, three bytes a pixel. */
export type Pixels = { data: Uint8Array; width: number; height: number };

type Planes = { planes: [Float32Array, Float32Array, Float32Array]; width: number; height: number };

const SCALES = 6;

/** Returns a function that scores pictures against one original, whose half of the work is done once. */
export function ssimulacra2(original: Pixels): (distorted: Pixels) => number {
  const scaled = scales(linear(original)).map((scale) => {
    const converted = xyb(scale);
    return { ...converted, blurs: converted.planes.map((plane) => blurs(plane, converted)) };
  });
  return (distorted) => {
    if (original.width !== distorted.width || original.height !== distorted.height)
      throw new Error("pictures of different sizes cannot be compared");
    let sum = 0;
    for (const [scale, planesOfScale] of scales(linear(distorted)).entries()) {
      const { planes, blurs } = scaled[scale]!;
      const other = xyb(planesOfScale);
      for (const channel of [0, 1, 2] as const) {
        const errors = compare(planes[channel], blurs[channel]!, other.planes[channel], other);
        for (const [index, error] of errors.entries())
          sum += weights[(channel * SCALES + scale) * 6 + index]! * error;
      }
    }
    const error = sum * 0.9562382616834844;
    const polynomial =
      2.326765642916932 * error -
      0.020884521182843837 * error ** 2 +
      6.248496625763138e-5 * error ** 3;
    return polynomial > 0 ? 100 - 10 * polynomial ** 0.6276336467831387 : 100;
  };
}

function scales(whole: Planes): Planes[] {
  const scales = [whole];
  for (let last = whole; scales.length < SCALES && Math.min(last.width, last.height) >= 8;)
    scales.push((last = halve(last)));
  return scales;
}

type Size = { width: number; height: number };

const blurs = (plane: Float32Array, size: Size) => ({
  mean: blur(plane, size),
  square: blur(multiply(plane, plane), size),
});

/** Mean and fourth norm of three error maps in the order of the weights: structure, added edges, lost edges. */
function compare(a: Float32Array, ofA: ReturnType<typeof blurs>, b: Float32Array, size: Size) {
  const ofB = blurs(b, size);
  const product = blur(multiply(a, b), size);
  let [structures, structures4, added, added4, lost, lost4] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const muA = ofA.mean[at]!;
    const muB = ofB.mean[at]!;
    const covariance = 2 * (product[at]! - muA * muB) + 0.0009;
    const variance = ofA.square[at]! - muA * muA + ofB.square[at]! - muB * muB + 0.0009;
    const structure = 1 - ((1 - (muA - muB) * (muA - muB)) * covariance) / variance;
    const edges = (1 + Math.abs(b[at]! - muB)) / (1 + Math.abs(a[at]! - muA)) - 1;
    if (structure > 0) {
      structures += structure;
      structures4 += structure * structure * structure * structure;
    }
    if (edges > 0) {
      added += edges;
      added4 += edges * edges * edges * edges;
    } else {
      lost -= edges;
      lost4 += edges * edges * edges * edges;
    }
  }
  const mean = (total: number) => total / a.length;
  const fourth = (total: number) => mean(total) ** 0.25;
  return [...[structures, added, lost].map(mean), ...[structures4, added4, lost4].map(fourth)];
}

const toLinear = Float32Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

function linear({ data, width, height }: Pixels): Planes {
  const plane = (channel: number) => {
    const out = new Float32Array(width * height);
    for (let at = 0; at < out.length; at++) out[at] = toLinear[data[at * 3 + channel]!]!;
    return out;
  };
  return { planes: [plane(0), plane(1), plane(2)], width, height };
}

function halve({ planes, width, height }: Planes): Planes {
  const size = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const half = (plane: Float32Array) => {
    const out = new Float32Array(size.width * size.height);
    for (let y = 0; y < size.height; y++) {
      const above = 2 * y * width;
      const below = Math.min(2 * y + 1, height - 1) * width;
      for (let x = 0; x < size.width; x++) {
        const left = 2 * x;
        const right = Math.min(left + 1, width - 1);
        out[y * size.width + x] =
          (plane[above + left]! +
            plane[above + right]! +
            plane[below + left]! +
            plane[below + right]!) /
          4;
      }
    }
    return out;
  };
  const [r, g, b] = planes;
  return { planes: [half(r), half(g), half(b)], ...size };
}

/** JPEG XL's colour space, moved and stretched so that all three parts lie between 0 and 1. */
function xyb({ planes: [r, g, b], ...size }: Planes): Planes {
  const bias = 0.003793073255275449;
  const dark = Math.cbrt(bias);
  const [x, y, z] = [r.slice(), g.slice(), b.slice()];
  for (let at = 0; at < r.length; at++) {
    const red = r[at]!;
    const green = g[at]!;
    const blue = b[at]!;
    const long = Math.cbrt(0.3 * red + 0.622 * green + 0.078 * blue + bias) - dark;
    const medium = Math.cbrt(0.23 * red + 0.692 * green + 0.078 * blue + bias) - dark;
    const short =
      Math.cbrt(
        0.2434226892454782 * red + 0.2047674442449682 * green + 0.5518098665095535 * blue + bias,
      ) - dark;
    const light = (long + medium) / 2;
    x[at] = 7 * (long - medium) + 0.42;
    y[at] = light + 0.01;
    z[at] = short - light + 0.55;
  }
  return { planes: [x, y, z], ...size };
}

function multiply(a: Float32Array, b: Float32Array) {
  const out = new Float32Array(a.length);
  for (let at = 0; at < a.length; at++) out[at] = a[at]! * b[at]!;
  return out;
}

/** A Gaussian of sigma 1.5; what lies outside is 0, as in the original. */
const REACH = 5;
const bell = Array.from({ length: REACH + 1 }, (_, at) => Math.exp(-(at * at) / (2 * 1.5 ** 2)));
const whole = 2 * bell.reduce((sum, part) => sum + part) - bell[0]!;
const [k0 = 0, k1 = 0, k2 = 0, k3 = 0, k4 = 0, k5 = 0] = bell.map((part) => part / whole);

function blur(plane: Float32Array, { width, height }: Size) {
  const across = new Float32Array(plane.length);
  const row = new Float32Array(width + 2 * REACH);
  for (let start = 0; start < plane.length; start += width) {
    row.set(plane.subarray(start, start + width), REACH);
    convolve(row, 1, REACH, across, start, width);
  }
  const padded = new Float32Array((height + 2 * REACH) * width);
  padded.set(across, REACH * width);
  return convolve(padded, width, REACH * width, across, 0, across.length);
}

/** Convolves `count` values from `at` on with the bell; the neighbours of a value are `step` apart. */
function convolve(
  from: Float32Array,
  step: number,
  at: number,
  to: Float32Array,
  start: number,
  count: number,
) {
  const [s2, s3, s4, s5] = [2 * step, 3 * step, 4 * step, 5 * step];
  for (let i = at, o = start; o < start + count; i++, o++)
    to[o] =
      k0 * from[i]! +
      k1 * (from[i - step]! + from[i + step]!) +
      k2 * (from[i - s2]! + from[i + s2]!) +
      k3 * (from[i - s3]! + from[i + s3]!) +
      k4 * (from[i - s4]! + from[i + s4]!) +
      k5 * (from[i - s5]! + from[i + s5]!);
  return to;
}

/** The weight of each error, a row per channel and scale. They were fitted to people's ratings, and define the metric. */
// oxfmt-ignore
const weights = [
  0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0,
  0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
  0, 0.0016406437456599754, 0, 1.8422455520539298, 11.441172603757666, 0,
  0.0007989109436015163, 0.000176816438078653, 0, 1.8787594979546387, 10.94906990605142, 0,
  0.0007289346991508072, 0.9677937080626833, 0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
  0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0,
  0, 0, 0, 7.466890328078848, 0, 17.445833984131262,
  0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
  225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
  176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
  0, 0, 0, 34.77906344483772, 44.835625328877896, 0,
  0, 0, 0, 0, 0, 0,
  0, 0.0008680556573291698, 0, 0, 0, 0,
  0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0,
  0, 0, 0, 0.0004179171803251336, 0.0017290828234722833, 0,
  0.0020827005846636437, 0, 0, 8.826982764996862, 23.19243343998926, 0,
  95.1080498811086, 0.9863978034400682, 0.9834382792465353, 0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
  0, 0, 0, 0.0005130064588990679, 0, 0.00010854057858411537,
];
