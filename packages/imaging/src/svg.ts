import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** The cost of drawing an SVG with this many megapixels, in units of svg-cost.ts; throws image.too_complex above the limit. */
export type Cost = (megapixels: number) => number;

/**
 * Checks an SVG. It is only rasterised and never passed on, so its scripts and links have no effect: librsvg runs none and,
 * reading from memory, loads nothing but `data:` URLs. Dangerous are entities that multiply, embedded images and documents,
 * and drawings that take too long, none of which a pixel limit finds.
 *
 * @throws image.too_many_bytes, image.svg_encoding, or as svg-document.ts and svg-cost.ts do
 */
export async function check(bytes: Buffer): Promise<Cost> {
  if (bytes.length > Limits.MAX_SVG_BYTES) throw tooManyBytes(bytes.length);
  const text = decode(bytes);
  // the parsers are loaded only for SVG
  const [{ parse }, SvgCost] = await Promise.all([
    import("./svg-document.ts"),
    import("./svg-cost.ts"),
  ]);
  const document = parse(text);
  // before librsvg, which draws an SVG without a size to find it
  SvgCost.check(document, 1);
  return (megapixels) => SvgCost.check(document, megapixels);
}

/** The refusal of an SVG with `size` bytes. */
export const tooManyBytes = (size: number): Refusal =>
  new Refusal(
    "too_large",
    "image.too_many_bytes",
    `The SVG has ${size} bytes; at most ${Limits.MAX_SVG_BYTES} are accepted`,
  );

/** A character at the end may be incomplete: `bytes` may be only the beginning of a file. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    throw new Refusal("unsupported", "image.svg_encoding", "The SVG is not encoded in UTF-8");
  }
}
