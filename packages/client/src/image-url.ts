import * as Grid from "@balde/imaging/grid.schema";
import { PresetName, type Request, print } from "@balde/imaging/request.schema";

/** As much of an image as its URL needs. With `rev` the URL may be kept for ever; without, it follows the picture. */
export type Shown = { id: string; rev?: string | undefined; width?: number | undefined };

/** The words of the delivery grammar, and a preset of the stage that they are laid over. */
export type Asked = Request & { preset?: string };

/** `base` ends with the stage, or is the CDN's, without a slash at the end. Throws on what the grammar does not have. */
export function imageUrl(base: string, { id, rev }: Shown, asked: Asked = {}): string {
  const { preset, ...request } = asked;
  const size = preset === undefined ? "" : `/${PresetName.parse(preset)}`;
  const query = print(request);
  return `${base}/i/${id}${rev ? `/${rev}` : ""}${size}${query ? `?${query}` : ""}`;
}

/**
 * For `<img srcset>`: with `w`, `h` or a preset in the request a box of fixed size at 1x, 2x and 3x; without, the widths of the grid up
 * to the picture's own, for `sizes` to choose from.
 */
export function srcset(base: string, image: Shown, asked: Asked = {}): string {
  const url = (change: Request) => imageUrl(base, image, { ...asked, ...change });
  if (asked.w || asked.h || asked.preset)
    return [1, 2, 3].map((dpr) => `${url({ dpr })} ${dpr}x`).join(", ");
  const { width = Infinity } = image;
  const smaller = Grid.edges.filter((each) => each < width);
  const all = width <= Grid.edges.at(-1)! ? [...smaller, width] : smaller;
  return all.map((w) => `${url({ w })} ${w}w`).join(", ");
}
