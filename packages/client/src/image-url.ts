import * as Grid from "@balde/imaging/grid.schema";
import { PresetName, type Request, print } from "@balde/imaging/request.schema";

import { nearestRequest } from "./nearest-request.ts";

/** The parts of an image that its URL needs. With `rev` the response may be cached forever; without, the URL always shows the current revision. `width` in pixels. */
export type ImageRef = { id: string; rev?: string | undefined; width?: number | undefined };

/** Parameters of the delivery query, and the name of a preset whose parameters they override. */
export type ImageRequest = Request & { preset?: string };

/**
 * The URL of an image in the requested size and format. `base` is the API's URL with the stage, or a CDN's, without a slash
 * at the end. Numbers are brought to the nearest that delivery allows (nearest-request.ts).
 * @throws ZodError if the request has an unknown parameter or a word that it does not have
 */
export function imageUrl(base: string, { id, rev }: ImageRef, asked: ImageRequest = {}): string {
  const { preset, ...request } = asked;
  const size = preset === undefined ? "" : `/${PresetName.parse(preset)}`;
  const query = print(nearestRequest(request));
  return `${base}/i/${id}${rev ? `/${rev}` : ""}${size}${query ? `?${query}` : ""}`;
}

/**
 * The value of `<img srcset>`. With `w`, `h` or a preset in the request: that size at 1x, 2x and 3x. Otherwise: the widths of
 * the size grid up to the image's own, which the browser chooses from by `sizes`.
 * @throws ZodError as `imageUrl` does
 */
export function srcset(base: string, image: ImageRef, asked: ImageRequest = {}): string {
  const url = (change: Request) => imageUrl(base, image, { ...asked, ...change });
  if (asked.w || asked.h || asked.preset)
    return [1, 2, 3].map((dpr) => `${url({ dpr })} ${dpr}x`).join(", ");
  const { width = Infinity } = image;
  const smaller = Grid.EDGES.filter((each) => each < width);
  const all = width <= Grid.EDGES.at(-1)! ? [...smaller, width] : smaller;
  return all.map((w) => `${url({ w })} ${w}w`).join(", ");
}
