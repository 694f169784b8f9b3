import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { svgRoot } from "./sniff.ts";

/** The size in pixels that an SVG is drawn at, and the SVG that is drawn so at `DENSITY`. */
export type Raster = Size & { bytes: Buffer };

/** CSS has 96 pixels to an inch. librsvg takes points and millimetres from it, and libvips enlarges the drawing by it, too. */
export const DENSITY = 96;
/** What libvips takes for one pixel to a pixel. */
const UNSCALED_DENSITY = 72;

/** A length that was measured at `DENSITY`, in pixels of CSS. */
export const toCssPixels = (length: number): number =>
  Math.max(1, Math.round((length * UNSCALED_DENSITY) / DENSITY));

const MAX_FACTOR = 1000;

/**
 * The raster of an SVG, the only drawing that is made of it: its own size, or a multiple of at least `MIN_SVG_RASTER_EDGE`,
 * so that `up` gives sharp pictures of an icon; a smaller multiple if the drawing is expensive. With a factor that is no
 * whole number, shapes that end at the edge would end within a pixel, and the picture would be transparent there.
 */
export function find(bytes: Buffer, { width, height, cost = 0 }: Size & { cost?: number }): Raster {
  const wanted = Math.ceil(Limits.MIN_SVG_RASTER_EDGE / Math.max(width, height));
  // each shape may cover the whole canvas
  const affordable = Math.sqrt((Limits.MAX_SVG_ENLARGED_COST / cost) * (1e6 / (width * height)));
  const factor = Math.max(1, Math.min(wanted, Math.floor(affordable), MAX_FACTOR));
  const drawn = { width: width * factor, height: height * factor };
  return { ...drawn, bytes: withSize(bytes, { width, height }, drawn) };
}

const ROOT_ATTRIBUTE = /\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')/g;

/**
 * The SVG with a root of this size and with a `viewBox`, which a browser takes from the root's own size where it is missing:
 * without it, librsvg draws a part of the drawing, or all of it in a corner.
 */
function withSize(bytes: Buffer, own: Size, drawn: Size): Buffer {
  const { root: text, name } = svgRoot(bytes);
  const start = 1 + name.length;
  let end = start;
  let kept = "";
  let hasViewBox = false;
  for (const match of text.slice(start).matchAll(ROOT_ATTRIBUTE)) {
    if (match.index !== end - start) break;
    end += match[0].length;
    const [whole, attribute] = match;
    if (attribute === "width" || attribute === "height") continue;
    hasViewBox ||= attribute === "viewBox";
    kept += whole;
  }
  const scale = UNSCALED_DENSITY / DENSITY;
  const size = ` width="${drawn.width * scale}" height="${drawn.height * scale}"`;
  const viewBox = hasViewBox ? "" : ` viewBox="0 0 ${own.width} ${own.height}"`;
  // libvips knows an SVG by the text in the comment, which is missing where the root has a prefix
  return Buffer.from(
    `<!--<svg -->${text.slice(0, start)}${kept}${size}${viewBox}${text.slice(end)}`,
  );
}
