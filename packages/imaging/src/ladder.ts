import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { type Plan, swapSidesIfTurned } from "./plan.ts";

/** A pre-made rendition of the whole picture. */
export type Rung = Size & { contentType: string };

/** JPEG for its decoder, which no other lossy format approaches; PNG where pixels are see-through. */
export const contentType = (hasAlpha: boolean): string => (hasAlpha ? "image/png" : "image/jpeg");

/**
 * A rung is encoded again, so its loss is small: the colour is kept whole where crops are read from and where small pictures would show it.
 * The rung in the middle, behind most deliveries up to 1,024 pixels, has half of the colour's pixels, as the delivery will, and better ones: fewer bytes here and in what is made from it, for a better look.
 */
export const jpeg = ({ width, height }: Size) =>
  Math.max(width, height) === MIDDLE_EDGE
    ? { quality: 93, chromaSubsampling: "4:2:0" }
    : { quality: 90, chromaSubsampling: "4:4:4" };

const MIDDLE_EDGE: (typeof Limits.RUNG_EDGES)[number] = 1024;

/** A rung is worth its bytes only if it has at most this part of the original's long edge. */
const WORTH = 0.8;

/** The sizes to make for an original, largest first. */
export function rungs(source: Size): Size[] {
  const long = Math.max(source.width, source.height);
  return Limits.RUNG_EDGES.map((edge, index) => (index === 0 ? topEdge(long, edge) : edge))
    .filter((edge) => edge <= long * WORTH)
    .map((edge) => sized(source, edge / long));
}

/** The smallest rung that has at least the pixels a plan scales to, so that nothing is enlarged; the original when none has, and where its exactness would be lost. */
export function choose<R extends Rung>(
  plan: Plan,
  source: { format: string },
  rungs: readonly R[],
): R | undefined {
  if (plan.trim || plan.frames === "all") return undefined;
  // a lossless picture asked for losslessly must not have been a JPEG in between
  if (
    plan.encoding.format === "png" &&
    source.format !== "jpeg" &&
    rungs.some((rung) => rung.contentType === "image/jpeg")
  )
    return undefined;
  const need = needed(plan);
  return rungs
    .filter((rung) => rung.width >= need.width && rung.height >= need.height)
    .toSorted((a, b) => a.width - b.width)[0];
}

/** The size the whole original would have at the plan's scale. A crop needs twice that: its edges fall between a rung's pixels and are then at most a quarter of a delivered pixel off. */
function needed({ source, scale, crop, turn }: Plan): Size {
  const { width, height } = swapSidesIfTurned(scale, turn);
  if (!crop) return { width, height };
  return {
    width: (2 * width * source.width) / crop.w,
    height: (2 * height * source.height) / crop.h,
  };
}

/** A third of the original is where the JPEG decoder shrinks inside itself: 6,000 to 2,000 costs half of 6,000 to 2,048. Worth it only near the full size. */
function topEdge(long: number, edge: number): number {
  const third = Math.floor(long / 3);
  return third < edge && third >= edge * 0.9 ? third : edge;
}

const sized = ({ width, height }: Size, by: number): Size => ({
  width: Math.max(1, Math.round(width * by)),
  height: Math.max(1, Math.round(height * by)),
});
