import type { ImageBytes } from "./image-bytes.ts";
import type { Size } from "./layout.ts";
import type { Plan } from "./plan.ts";
import { toRaw } from "./raw-picture.ts";
import type { Box } from "./request.schema.ts";
import { open } from "./steps/decode.ts";

/** Pixels up to which the border is searched in all of them at once: 64 MB. */
const SEARCH_PIXELS = 16e6;
/** The length in pixels to which rows or columns of a larger picture are scaled. */
const SEARCH_EDGE = 1600;

/** The part of the upright original, or of its crop, inside the border, in the original's pixels; all of it if it has one colour. */
export async function find(image: ImageBytes, plan: Plan): Promise<Box> {
  const { width, height } = plan.source;
  if (width * height <= SEARCH_PIXELS) return search(image, plan, { width, height });
  // scaled along one axis only, because scaling moves the border that lies across it
  const rows = await search(image, plan, { width: Math.min(width, SEARCH_EDGE), height });
  const columns = await search(image, plan, { width, height: Math.min(height, SEARCH_EDGE) });
  return { x: columns.x, y: rows.y, w: columns.w, h: rows.h };
}

/** The part inside the border, searched in the picture scaled to this size. */
async function search(image: ImageBytes, plan: Plan, searched: Size): Promise<Box> {
  const { width, height } = plan.source;
  const { crop = { x: 0, y: 0, w: width, h: height }, trim } = plan;
  const picture = (await open(image, plan)).autoOrient().toColourspace("srgb").ensureAlpha();
  const { data } = await toRaw(picture.resize({ ...searched, fit: "fill" }));

  const across = searched.width / width;
  const down = searched.height / height;
  const left = Math.floor(crop.x * across);
  const top = Math.floor(crop.y * down);
  const right = Math.max(left + 1, Math.floor((crop.x + crop.w) * across));
  const bottom = Math.max(top + 1, Math.floor((crop.y + crop.h) * down));
  const inner = within(data, searched.width, { left, top, right, bottom }, trim?.threshold ?? 0);

  const x = Math.max(crop.x, Math.floor(inner.left / across));
  const y = Math.max(crop.y, Math.floor(inner.top / down));
  return {
    x,
    y,
    w: Math.max(1, Math.min(crop.x + crop.w, Math.ceil(inner.right / across)) - x),
    h: Math.max(1, Math.min(crop.y + crop.h, Math.ceil(inner.bottom / down)) - y),
  };
}

/** `right` and `bottom` are exclusive. */
type Edges = { left: number; top: number; right: number; bottom: number };

/** Removes rows and columns from each side while they are like the first pixel. libvips' own trim filters the picture first, which costs seconds. */
function within(rgba: Buffer, width: number, whole: Edges, threshold: number): Edges {
  const pixel = (x: number, y: number) => (y * width + x) * 4;
  const corner = pixel(whole.left, whole.top);
  // what a transparent pixel's colour would be is not seen; scaling leaves such pixels beside every edge
  const seen = (at: number, band: number) =>
    band === 3 ? rgba[at + 3]! : (rgba[at + band]! * rgba[at + 3]!) / 255;
  const differs = (at: number) => {
    for (let band = 0; band < 4; band++)
      if (Math.abs(seen(at, band) - seen(corner, band)) > threshold) return true;
    return false;
  };
  const rowDiffers = (y: number) => {
    for (let x = whole.left; x < whole.right; x++) if (differs(pixel(x, y))) return true;
    return false;
  };
  let { left, top, right, bottom } = whole;
  while (top < bottom && !rowDiffers(top)) top += 1;
  if (top === bottom) return whole;
  while (!rowDiffers(bottom - 1)) bottom -= 1;
  const columnDiffers = (x: number) => {
    for (let y = top; y < bottom; y++) if (differs(pixel(x, y))) return true;
    return false;
  };
  while (!columnDiffers(left)) left += 1;
  while (!columnDiffers(right - 1)) right -= 1;
  return { left, top, right, bottom };
}
