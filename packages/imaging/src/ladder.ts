import * as EncoderSettings from "./encoder-settings.ts";
import * as Format from "./format.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { type Plan, swapSidesIfTurned } from "./plan.ts";

/** A smaller rendition of the whole image, made at ingest; sizes in pixels. */
export type Rung = Size & { contentType: string };

/** The content type of a rung: JPEG, whose decoder is by far the fastest of the lossy formats, or PNG for transparent images and for drawings, which must be lossless because there is no other original. */
export const contentType = (hasAlpha: boolean, format: string): string =>
  hasAlpha || format === "svg" ? "image/png" : "image/jpeg";

/**
 * sharp's JPEG settings for a rung. It is encoded again at delivery, so its loss is kept small: full chroma where crops are
 * read from and where small pictures would show the loss. The middle rung, which serves most deliveries up to 1,024 pixels,
 * has 4:2:0 chroma, as the delivery has, at a higher quality: fewer bytes for a better look.
 */
export const jpeg = ({ width, height }: Size) =>
  Math.max(width, height) === MIDDLE_EDGE
    ? { quality: 93, chromaSubsampling: "4:2:0" }
    : { quality: 90, chromaSubsampling: "4:4:4" };

/**
 * sharp's JPEG settings for the rung that replaces an original: all later losses are added to its own. Its Huffman tables are
 * not optimised, which would take three times as long and hold all coefficients: of 48 megapixels half a gigabyte, for 6 % of the bytes.
 */
export const wholeJpeg = {
  quality: 92,
  chromaSubsampling: "4:4:4",
  optimiseCoding: false,
} as const;

const MIDDLE_EDGE: (typeof Limits.RUNG_EDGES)[number] = 1024;

/** The largest useful rung as a part of the original's long edge; a larger one would not be worth its bytes. */
const WORTH = 0.8;

/** The sizes of the rungs for an original, largest first, in pixels. */
export function rungs(source: Size): Size[] {
  const long = Math.max(source.width, source.height);
  return Limits.RUNG_EDGES.map((edge, index) => (index === 0 ? topEdge(long, edge) : edge))
    .filter((edge) => edge <= long * WORTH)
    .map((edge) => sized(source, edge / long));
}

/** The sizes of the rungs of an image that is decoded only once, largest first, in pixels: all of it, of an SVG the raster that it is drawn into, and smaller ones. Every delivery is made from one of them. */
export const allRungs = (whole: Size): Size[] => {
  const long = Math.max(whole.width, whole.height);
  const smaller = Limits.RUNG_EDGES.filter((edge) => edge <= long * WORTH);
  return [whole, ...smaller.map((edge) => sized(whole, edge / long))];
};

/**
 * The smallest rung with at least the pixels that a plan scales to, so that nothing is enlarged. undefined, which means the
 * original, when there is none or when the original's exact pixels are needed. Of an image that is decoded only once, which has only rungs, the largest.
 */
export function choose<R extends Rung>(
  plan: Plan,
  source: { format: string },
  rungs: readonly R[],
): R | undefined {
  if (Format.isDecodedOnce(source.format)) return smallestFor(plan, rungs) ?? widest(rungs);
  if (plan.trim || plan.frames === "all") return undefined;
  // a lossless original that is requested as PNG or without loss must not pass through a JPEG
  if (
    (plan.encoding.format === "png" || EncoderSettings.isLossless(plan.encoding)) &&
    source.format !== "jpeg" &&
    rungs.some((rung) => rung.contentType === "image/jpeg")
  )
    return undefined;
  return smallestFor(plan, rungs);
}

function smallestFor<R extends Rung>(plan: Plan, rungs: readonly R[]): R | undefined {
  // the border is searched in the largest
  if (plan.trim) return undefined;
  const need = needed(plan);
  return rungs
    .filter((rung) => rung.width >= need.width && rung.height >= need.height)
    .toSorted((a, b) => a.width - b.width)[0];
}

const widest = <R extends Rung>(rungs: readonly R[]): R | undefined =>
  rungs.toSorted((a, b) => b.width - a.width)[0];

/** The size of the whole original at the plan's scale, in pixels. A crop needs twice that: its edges fall between a rung's pixels and are then wrong by at most a quarter of a delivered pixel. */
function needed({ source, scale, crop, turn }: Plan): Size {
  const { width, height } = swapSidesIfTurned(scale, turn);
  if (!crop) return { width, height };
  return {
    width: (2 * width * source.width) / crop.w,
    height: (2 * height * source.height) / crop.h,
  };
}

/** At a third of the original the JPEG decoder shrinks while it decodes: 6,000 to 2,000 costs half of 6,000 to 2,048. It is worth it only near the full size of a rung. */
function topEdge(long: number, edge: number): number {
  const third = Math.floor(long / 3);
  return third < edge && third >= edge * 0.9 ? third : edge;
}

const sized = ({ width, height }: Size, by: number): Size => ({
  width: Math.max(1, Math.round(width * by)),
  height: Math.max(1, Math.round(height * by)),
});
