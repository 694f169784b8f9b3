import * as z from "zod/mini";

// Keys and values of the delivery query. Each is a codec between its text in the URL and its value, so one table parses, prints, documents and types it.

/** The largest `w` and `h` in CSS pixels: a little more than a 4K screen's long edge. The other limits are in limits.ts, which a browser does not need. */
export const MAX_EDGE = 4096;

const matching = (pattern: RegExp) => z.string().check(z.regex(pattern));

/** Numbers as programs write them: a pixel ratio at a zoom of 110 % is 1.100000023841858, a third of a width has a fraction. They are rounded to the digits that the grammar has. */
const written = (digits: string) => matching(new RegExp(`^${digits}(\\.\\d{1,20})?$`));

const whole = (least: number, most: number, says: string) =>
  z
    .codec(written("\\d{1,6}"), z.int().check(z.gte(least), z.lte(most)), {
      decode: (text) => Math.round(Number(text)),
      encode: String,
    })
    .check(z.describe(says));

/** The number as the grammar prints it: `multipleOf` accepts 0.1 + 0.2, which has seventeen digits. */
const rounded = (value: number, digits: number) => String(Number(value.toFixed(digits)));

const decimal = (
  least: number,
  most: number,
  says: string,
  nearest = (value: number): number => value,
) =>
  z
    .codec(written("\\d{1,4}"), z.number().check(z.gte(least), z.lte(most), z.multipleOf(0.001)), {
      decode: (text) => nearest(Number(rounded(Number(text), 3))),
      encode: (value) => rounded(value, 3),
    })
    .check(z.describe(says));

const claim = (says: string) =>
  z
    .codec(z.enum(["0", "1"]), z.boolean(), {
      decode: (text) => text === "1",
      encode: (is) => (is ? "1" : "0"),
    })
    .check(z.describe(says));

const fraction = z.number().check(z.gte(0), z.lte(1), z.multipleOf(0.0001));
export type Point = z.infer<typeof Point>;
export const Point = z.object({ x: fraction, y: fraction });

export const places = [
  "center",
  "top",
  "bottom",
  "left",
  "right",
  "top-left",
  "top-right",
  "bottom-left",
  "bottom-right",
  "attention",
  "entropy",
] as const;
const place = z.enum(places);

const position = z
  .codec(
    z.union([
      place,
      matching(
        /^(0|1|0?\.\d{1,20}|1\.0{1,20}|\d(\.\d{1,20})?e-\d{1,2}),(0|1|0?\.\d{1,20}|1\.0{1,20}|\d(\.\d{1,20})?e-\d{1,2})$/,
      ),
    ]),
    z.union([place, Point]),
    {
      decode: (text) => {
        const [x = "", y] = text.split(",");
        const part = (digits: string) => Number(rounded(Number(digits), 4));
        return y === undefined ? (x as z.infer<typeof place>) : { x: part(x), y: part(y) };
      },
      encode: (at) => (typeof at === "string" ? at : `${rounded(at.x, 4)},${rounded(at.y, 4)}`),
    },
  )
  .check(
    z.describe(
      `what stays when a side is cut off: ${places.join(", ")}, or a focal point "x,y" with both in 0..1`,
    ),
  );

const pixel = z.int().check(z.gte(0), z.lte(30_000));
const extent = z.int().check(z.gte(1), z.lte(30_000));
export type Box = z.infer<typeof Box>;
export const Box = z.object({ x: pixel, y: pixel, w: extent, h: extent });

/** The box with its edges at whole pixels. To round the width would move the right edge twice, and perhaps out of the image. */
export function wholeBox({ x, y, w, h }: Box): Box {
  const left = Math.max(0, Math.round(x));
  const top = Math.max(0, Math.round(y));
  return { x: left, y: top, w: Math.round(x + w) - left, h: Math.round(y + h) - top };
}

const crop = z
  .codec(matching(/^\d{1,5}(\.\d{1,20})?(,\d{1,5}(\.\d{1,20})?){3}$/), Box, {
    decode: (text) => {
      const [x = 0, y = 0, w = 0, h = 0] = text.split(",").map(Number);
      return wholeBox({ x, y, w, h });
    },
    encode: ({ x, y, w, h }) => `${x},${y},${w},${h}`,
  })
  .check(z.describe('the part to use, "x,y,w,h" in pixels of the upright original, inside it'));

/** A change in percent, as of CSS's filter functions: https://www.w3.org/TR/filter-effects-1/ */
const percent = (says: string) =>
  z
    .codec(matching(/^[-+]?\d{1,3}(\.\d{1,20})?$/), z.int().check(z.gte(-100), z.lte(100)), {
      // 0 and not -0, which is printed alike and is another value
      decode: (text) => Math.round(Number(text)) + 0,
      encode: String,
    })
    .check(z.describe(`${says} by this many percent, a whole number -100..100; 0 changes nothing`));

/** 6 or 8 hexadecimal digits in lower case. */
const Colour = matching(/^[0-9a-f]{6}([0-9a-f]{2})?$/);
const named: Record<string, string> = { white: "ffffff", black: "000000", transparent: "00000000" };
const colour = z
  .codec(
    matching(/^#?([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$|^(white|black|transparent)$/),
    Colour,
    {
      decode: (text) => {
        const digits = named[text] ?? text.replace("#", "");
        return (digits.length < 6 ? digits.replace(/./g, "$&$&") : digits).toLowerCase();
      },
      encode: (digits) => digits,
    },
  )
  .check(
    z.describe(
      "what is behind the picture: 3, 4, 6 or 8 hexadecimal digits (rgb, rgba, rrggbb, rrggbbaa), or white, black, transparent",
    ),
  );

const quality = z
  .codec(
    z.union([z.literal(["auto", "lossless"]), written("\\d{1,3}")]),
    z.union([z.literal(["auto", "lossless"]), z.int().check(z.gte(1), z.lte(100))]),
    {
      decode: (text) => (text === "auto" || text === "lossless" ? text : Math.round(Number(text))),
      encode: String,
    },
  )
  .check(
    z.describe(
      "a whole number 1..100 on JPEG's scale, whatever the format, or auto; a PNG below 100 has 256 colours, below 25 it has 16; lossless keeps every pixel as it is at that size (webp, avif and png)",
    ),
  );

const side = "([1-9]\\d{0,4}(\\.\\d{1,4})?|0\\.\\d{0,3}[1-9])";
const Ratio = matching(new RegExp(`^${side}[:/]${side}$`));
const ratio = z
  .codec(Ratio, Ratio, { decode: reduced, encode: reduced })
  .check(
    z.describe(
      "the shape of the result, width to height such as 16:9 or 1.91:1; with w or h it gives the other side, with neither the largest such part. fit is then cover unless it is contain or fill",
    ),
  );

/** The ratio in its smallest whole numbers, so that 32:18 and 16/9 are 16:9 wherever shapes are compared; as it was written, with a colon, where a number would be too long for the grammar. */
function reduced(text: string): string {
  const [across = 1, down = 1] = text.split(/[:/]/).map((each) => Math.round(Number(each) * 1e4));
  const divisor = greatestCommonDivisor(across, down);
  const whole = `${across / divisor}:${down / divisor}`;
  return /^\d{1,5}:\d{1,5}$/.test(whole) ? whole : text.replace("/", ":");
}

const greatestCommonDivisor = (one: number, other: number): number =>
  other === 0 ? one : greatestCommonDivisor(other, one % other);

const rotation = z
  .codec(z.enum(["0", "90", "180", "270"]), z.literal([0, 90, 180, 270]), {
    decode: (text) => Number(text) as 0 | 90 | 180 | 270,
    encode: (degrees) => String(degrees) as "0" | "90" | "180" | "270",
  })
  .check(z.describe("degrees clockwise: 0, 90, 180 or 270"));

export const Query = z.strictObject({
  w: z.optional(whole(1, MAX_EDGE, `width in CSS pixels, a whole number 1..${MAX_EDGE}`)),
  h: z.optional(whole(1, MAX_EDGE, `height in CSS pixels, a whole number 1..${MAX_EDGE}`)),
  ar: z.optional(ratio),
  dpr: z.optional(
    // a browser that is zoomed has any ratio
    decimal(
      1,
      4,
      "device pixels per CSS pixel, a number 1..4; a number outside is read as the nearest",
      (ratio) => Math.min(4, Math.max(1, ratio)),
    ),
  ),
  fit: z.optional(
    z
      .enum(["cover", "contain", "fill", "inside", "outside"])
      .check(z.describe("how w and h are met: cover, contain, fill, inside or outside")),
  ),
  pos: z.optional(position),
  crop: z.optional(crop),
  rot: z.optional(rotation),
  flip: z.optional(
    z
      .enum(["h", "v", "hv"])
      .check(z.describe("mirrored after rot: h (left and right change), v (top and bottom) or hv")),
  ),
  up: z.optional(claim("1 lets a small picture be enlarged, 0 does not")),
  trim: z.optional(
    whole(
      0,
      100,
      "cuts off a border that differs by at most this from the corner's colour, a whole number 0..100",
    ),
  ),
  bg: z.optional(colour),
  blur: z.optional(decimal(0.3, 100, "sigma in delivered pixels, a number 0.3..100")),
  sharpen: z.optional(decimal(0.3, 10, "sigma in delivered pixels, a number 0.3..10")),
  bri: z.optional(percent("brighter, or darker below 0,")),
  con: z.optional(percent("more contrast, or less below 0,")),
  sat: z.optional(percent("more colour, or less below 0,")),
  gray: z.optional(claim("1 removes colour, 0 keeps it")),
  anim: z.optional(claim("1 keeps a moving picture moving, 0 takes its first frame")),
  f: z.optional(
    z
      .enum(["auto", "avif", "webp", "jpeg", "png", "gif", "json"])
      .check(
        z.describe(
          "format: auto (from Accept), avif, webp, jpeg, png or gif; json, alone, says what is known of the original",
        ),
      ),
  ),
  q: z.optional(quality),
  meta: z.optional(
    z
      .enum(["none", "copyright"])
      .check(
        z.describe(
          "what the file says about itself: none, or copyright (author and copyright, where the original names them in EXIF, XMP or IPTC; a GIF cannot carry them)",
        ),
      ),
  ),
  dl: z.optional(
    // a header must not contain control characters, an unpaired surrogate has no UTF-8, and characters of direction would show
    // the name backwards
    matching(
      // oxlint-disable-next-line no-control-regex
      /^[^\u0000-\u001f\u007f-\u009f"/\\\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]{1,120}$/u,
    ).check(
      z.describe(
        'offers the picture as a download: of this name, 1..120 characters without " / \\, or with 1 of the name of the uploaded file',
      ),
    ),
  ),
});

/** A delivery request. An absent key has its default. */
export type Request = z.output<typeof Query>;

/** The signature of a request: key, expiry and HMAC. It does not change the picture, so it is in no plan and in no cache key. */
export type Signature = z.output<typeof Signature>;
export const Signature = z.strictObject({
  exp: z
    .codec(matching(/^[1-9]\d{9}$/), z.int().check(z.gte(1e9), z.lt(1e10)), {
      decode: Number,
      encode: String,
    })
    .check(z.describe("when the signature ends, in whole seconds since 1970, ten digits")),
  kid: matching(/^[A-Za-z0-9_-]{1,32}$/).check(
    z.describe("which key signed, 1..32 letters, digits, dashes and underscores"),
  ),
  // 32 bytes leave two bits of the last digit unused: only one of its four spellings is accepted
  sig: matching(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/).check(
    z.describe("the signature, HMAC-SHA256 in base64url, 43 characters"),
  ),
});

/** The name of a preset. It cannot look like a revision, because both can be at the same position of a path. */
export const PresetName = z
  .string()
  .check(
    z.regex(
      /^(?![0-9a-f]{12}$)[a-z][a-z0-9-]{0,31}$/,
      "a preset is called by 1 to 32 small letters, digits and dashes, first a letter, and not like a revision",
    ),
  );

/** A delivery request as JSON, with numbers as numbers, and the preset that it is combined with. */
export type UrlRequest = z.infer<typeof UrlRequest>;
export const UrlRequest: z.ZodMiniType<Request & { preset?: string | undefined }> = z.strictObject({
  preset: z.optional(PresetName),
  ...Object.fromEntries(
    Object.entries(Query.shape).map(([key, { def }]) => [key, z.optional(meaning(def.innerType))]),
  ),
});

/** The decoded side of a codec, with the codec's description. */
function meaning(value: z.core.$ZodType): z.core.$ZodType {
  if (!(value instanceof z.ZodMiniCodec)) return value;
  const { description = "" } = z.globalRegistry.get(value) ?? {};
  return (value.def.out as z.ZodMiniType).check(z.describe(description));
}

/** All keys of a delivery query. */
export const Grammar = z.extend(Query, z.partial(Signature).shape);
export type Key = keyof typeof Grammar.shape;

export const keys = Object.keys(Grammar.shape) as Key[];

/**
 * The values of a request as text, as in a query.
 *
 * @throws ZodError for values that the grammar does not have
 */
export function texts(
  request: Request,
  signature: Partial<Signature> = {},
): Partial<Record<Key, string>> {
  return z.encode(Grammar, { ...request, ...signature });
}

/** The query of a request, with its keys in a fixed order; absent keys stay absent. */
export function print(request: Request, signature: Partial<Signature> = {}): string {
  const written = texts(request, signature);
  const pairs = keys.flatMap((key) => {
    const text = written[key];
    return text === undefined ? [] : [`${key}=${encodeURIComponent(text).replaceAll("%2C", ",")}`];
  });
  return pairs.join("&");
}
