import type { ImageBytes } from "./image-bytes.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { loadSharpForSvg } from "./load-sharp.ts";

/** The size in pixels that an SVG is drawn at, and the density that draws it so. */
export type Raster = Size & { density: number };

/** The density at which librsvg draws one pixel for a pixel of the SVG. */
const OWN_DENSITY = 72;
/** sharp accepts densities up to 100,000. */
const MAX_FACTOR = Math.floor(100_000 / OWN_DENSITY);

/**
 * The raster of an SVG, the only drawing that is made of it: its own size, or a multiple of at least `MIN_SVG_RASTER_EDGE`,
 * so that `up` gives sharp pictures of an icon; a smaller multiple if the drawing is expensive. With a factor that is no
 * whole number, shapes that end at the edge would end within a pixel, and the picture would be transparent there.
 */
export async function find(
  bytes: ImageBytes,
  { width, height, cost = 0 }: Size & { cost?: number },
): Promise<Raster> {
  const wanted = Math.ceil(Limits.MIN_SVG_RASTER_EDGE / Math.max(width, height));
  // each shape may cover the whole canvas
  const affordable = Math.sqrt((Limits.MAX_SVG_ENLARGED_COST / cost) * (1e6 / (width * height)));
  const factor = Math.max(1, Math.min(wanted, Math.floor(affordable), MAX_FACTOR));
  const density = OWN_DENSITY * factor;
  if (factor === 1) return { width, height, density };
  const sharp = await loadSharpForSvg();
  // an SVG's own sides may be fractions of a pixel
  const drawn = await sharp(bytes, { density, limitInputPixels: Limits.MAX_PIXELS.svg }).metadata();
  return { width: drawn.width, height: drawn.height, density };
}
