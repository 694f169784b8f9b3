import type { Format } from "./format.ts";
import type { Size } from "./layout.ts";

// Settings per encoder, each the cheapest for its result: docs/adr/0011-ladder.md has the measurements.

export type Encoding =
  | { format: "avif"; quality: number; effort: 0 | 1 | typeof REENCODE_EFFORT }
  | { format: "webp"; quality: number; effort: 0 | 2 }
  | { format: "avif" | "webp"; quality: "lossless"; effort: 0 }
  | { format: "jpeg"; quality: number; byRows?: true }
  | { format: "png"; colours: "all" | 256 | 16; byRows?: true }
  | { format: "gif" };

/** The effort of an AVIF that is encoded again because it is requested often: a photograph gets 7 % smaller and 1.1 to 1.6 points of SSIMULACRA2 better, for three to eight times the work. The next effort takes four times as long for another 2 to 4 %. docs/adr/0022-reencode-avif.md has the measurements. */
export const REENCODE_EFFORT = 3;
/** A larger one would keep a processor busy for more than a second. */
const MAX_REENCODE_PIXELS = 2.5e6;

/** The qualities of `auto`; they look alike in all three lossy formats (SSIMULACRA2 about 70 at 800 pixels). */
const auto = { jpeg: 80, webp: 80, avif: 52 };

/** Up to this size AVIF's second-lowest effort takes only some 20 ms and saves a tenth of the bytes. */
const SMALL_PIXELS = 250_000;

/** A larger animated WebP is encoded at the lowest effort, or it would take seconds. */
const LONG_ANIMATION_PIXELS = 10e6;

/**
 * Larger pictures are written row by row while they are made: the first byte of a 24-megapixel PNG is sent after 30 ms instead of
 * 1,900. A PNG has the same bytes either way. A JPEG does without its own Huffman tables, which need all pixels first: a first
 * byte after 40 ms instead of 460 for 8 to 20 % more bytes, worth it only for large ones. No other format can be sent before its
 * end is known.
 */
const BY_ROWS_PIXELS = { png: 1e6, jpeg: 8e6 };

/** Whether the file grows row by row while the picture is made. */
export const isStreamedByRows = (encoding: Encoding): boolean =>
  "byRows" in encoding && encoding.byRows === true;

/** The settings for encoding a picture of this size (pixels) again at a higher effort and the same quality; undefined where it is not worth it. */
export const reencodeSettings = (
  encoding: Encoding,
  { width, height }: Size,
): Encoding | undefined =>
  encoding.format === "avif" &&
  encoding.quality !== "lossless" &&
  width * height <= MAX_REENCODE_PIXELS
    ? { ...encoding, effort: REENCODE_EFFORT }
    : undefined;

/** The formats that have a lossless mode; an encoding with `q=lossless` has one of them. GIF has at most 256 colours. */
export const losslessFormats: readonly Format[] = ["webp", "avif", "png"];

/** Whether the file has exactly the pixels that were encoded. */
export const isLossless = (encoding: Encoding): boolean =>
  encoding.format === "png"
    ? encoding.colours === "all"
    : "quality" in encoding && encoding.quality === "lossless";

/** The encoder settings for a format and size in pixels. `q` is on JPEG's scale for all formats, because with `f=auto` the client does not know the format. */
export function settings(
  format: Format,
  q: number | "auto" | "lossless",
  { width, height, frames }: Size & { frames: number },
): Encoding {
  const pixels = width * height * frames;
  // the next effort of WebP takes twice as long for a twelfth of the bytes, that of AVIF for a fortieth
  if (q === "lossless" && (format === "webp" || format === "avif"))
    return { format, quality: q, effort: 0 };
  const asked = q === "lossless" ? 100 : q;
  switch (format) {
    case "avif":
      return {
        format,
        quality: asked === "auto" ? auto.avif : avifQuality(asked),
        effort: pixels <= SMALL_PIXELS ? 1 : 0,
      };
    case "webp":
      return {
        format,
        quality: asked === "auto" ? auto.webp : asked,
        effort: pixels > LONG_ANIMATION_PIXELS ? 0 : 2,
      };
    case "jpeg":
      return {
        format,
        quality: asked === "auto" ? auto.jpeg : asked,
        ...(pixels > BY_ROWS_PIXELS.jpeg && { byRows: true }),
      };
    case "png": {
      // a lossy PNG has fewer colours; libvips supports palettes of 16 and 256, and needs all pixels to choose one
      const colours = asked === "auto" || asked === 100 ? "all" : asked < 25 ? 16 : 256;
      const byRows = colours === "all" && pixels > BY_ROWS_PIXELS.png;
      return { format, colours, ...(byRows && { byRows }) };
    }
    case "gif":
      return { format };
  }
}

/** Converts JPEG's quality scale to AVIF's: straight lines through (0, 0), (80, 52), (100, 100). */
const avifQuality = (q: number) =>
  Math.max(1, Math.round(q <= 80 ? (q * 52) / 80 : 52 + ((q - 80) * 48) / 20));
