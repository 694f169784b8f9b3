import { Refusal } from "../refusal.ts";
import * as Limits from "../limits.ts";
import type { HeifFile } from "./heif-file.ts";
import * as Orientation from "./orientation.ts";

/** A tile of a grid, and where its pixels lie in the upright picture. */
export type Tile = { column: number; row: number; orientation: Orientation.Orientation };

/**
 * The tiles of a grid; undefined where libheif has to decode the picture as a whole. libheif can place the tiles itself, but
 * 1.23 does it wrongly where a turned grid does not fill its last column or row.
 *
 * @throws image.too_complex if the tiles have far more pixels than the picture
 */
export function find(file: HeifFile, handle: number): Tile[] | undefined {
  const { heif, memory } = file;
  // `heif_image_tiling` in heif_tiling.h
  const at = memory.allocate(72);
  memory.call((error) => heif._heif_image_handle_get_image_tiling!(error, handle, 0, at));
  const field = (index: number) => memory.uint32(at + index * 4);
  const [columns, rows, width, height] = [field(1), field(2), field(3), field(4)];
  if (columns * rows <= 1) return undefined;
  if (columns * rows * width * height > Limits.MAX_HEIF_CODED_PIXELS)
    throw new Refusal(
      "unprocessable",
      "image.too_complex",
      `The HEIF image is a grid of ${columns} × ${rows} tiles of ${width} × ${height} pixels; at most ${Limits.MAX_HEIF_CODED_PIXELS / 1e6} megapixels are accepted in all tiles`,
    );
  const whole = orientationOf(file, handle, Orientation.none(field(5), field(6)));
  if (whole?.width !== file.width || whole.height !== file.height) return undefined;
  return Array.from({ length: columns * rows }, (_, index) => {
    const column = index % columns;
    const row = Math.floor(index / columns);
    const [left, top] = [column * width, row * height];
    const { x, y, a, b, c, d } = whole;
    return {
      column,
      row,
      orientation: { ...whole, x: x + a * left + b * top, y: y + c * left + d * top },
    };
  });
}

/** At most so many of `irot`, `imir` and `clap`, each of which a picture has once. */
const MAX_PROPERTIES = 8;

/** The orientation after the picture's properties, in their order; undefined if there is one that is not known here. */
function orientationOf(
  { heif, memory, context }: HeifFile,
  handle: number,
  coded: Orientation.Orientation,
): Orientation.Orientation | undefined {
  const item = heif._heif_image_handle_get_item_id!(handle);
  const list = memory.allocate(MAX_PROPERTIES * 4);
  const count = heif._heif_item_get_transformation_properties!(context, item, list, MAX_PROPERTIES);
  const ids = Array.from({ length: count }, (_, index) => memory.uint32(list + index * 4));
  let orientation = coded;
  for (const id of ids) {
    switch (heif._heif_item_get_property_type!(context, item, id)) {
      case IROT: {
        const degrees = heif._heif_item_get_property_transform_rotation_ccw!(context, item, id);
        for (let turned = 0; turned < degrees; turned += 90)
          orientation = Orientation.turnLeft(orientation);
        break;
      }
      case IMIR: {
        const direction = heif._heif_item_get_property_transform_mirror!(context, item, id);
        orientation = Orientation.mirror(
          orientation,
          direction === HORIZONTAL ? "horizontal" : "vertical",
        );
        break;
      }
      case CLAP: {
        const borders = memory.allocate(16);
        const [left, top, right, bottom] = [borders, borders + 4, borders + 8, borders + 12];
        heif._heif_item_get_property_transform_crop_borders!(
          ...([context, item, id, orientation.width, orientation.height] as const),
          ...([left, top, right, bottom] as const),
        );
        const removed = (place: number) => memory.view().getInt32(place, true);
        orientation = Orientation.crop(orientation, {
          left: removed(left),
          top: removed(top),
          right: removed(right),
          bottom: removed(bottom),
        });
        break;
      }
      default:
        return undefined;
    }
  }
  return orientation;
}

const fourLetters = (type: string) => Buffer.from(type, "latin1").readInt32BE();
const IROT = fourLetters("irot");
const IMIR = fourLetters("imir");
const CLAP = fourLetters("clap");

/** `heif_transform_mirror_direction`. */
const HORIZONTAL = 1;
