import { createHash } from "node:crypto";

import type { AcceptedFormats } from "./accept.ts";
import { isOpaque, onWhite } from "./background.ts";
import type { Credit } from "./exif-credit.ts";
import * as EncoderSettings from "./encoder-settings.ts";
import { type Format, type Input, formats } from "./format.ts";
import { type LayoutRequest, type Layout, type Size, layout } from "./layout.ts";
import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { Box, Point, Request } from "./request.schema.ts";
import * as RenderCost from "./render-cost.ts";

/** The properties of an image that a plan needs: its upright size in pixels, whether any pixel is transparent, its frames, its focal point. */
export type Source = Size & {
  format: Input;
  hasAlpha: boolean;
  pages: number;
  focal?: Point | undefined;
  credit?: Credit | undefined;
};

/** The picture to make, in numbers. Equal plans make equal bytes, so the plan's hash is the name of the derivative. */
export type Plan = Layout & {
  /** Raised when equal numbers would give other pixels, so that every derivative is made again. */
  engine: 2;
  /** The upright original. Every size is computed from it, also when a rung is read. */
  source: Size;
  frames: "first" | "all";
  /** Removes a border first. The rest is laid out by `ask`, because its size is known only then. */
  trim?: { threshold: number; ask: LayoutRequest };
  crop?: Box;
  /** Degrees clockwise, after scaling: `width`, `height`, `cut` and `pad` are those of the rotated picture. */
  turn: 0 | 90 | 180 | 270;
  mirror: { h: boolean; v: boolean };
  /** The background in sRGB, hexadecimal; `pad` and transparent pixels show it. Opaque with `flatten`. */
  background?: string;
  /** Whether the result is opaque: transparent pixels lie on the background, or on white. */
  flatten: boolean;
  gray: boolean;
  blur?: number;
  sharpen?: number;
  /** Percent, -100..100 and not 0. */
  brightness?: number;
  contrast?: number;
  saturation?: number;
  /** Written into the file as its only metadata. */
  credit?: Credit;
  encoding: EncoderSettings.Encoding;
};

/**
 * The plan of a delivery, computed before a pixel is read. Sizes are reduced to the limits and keep their shape.
 *
 * @throws Refusal if the image or the limits do not allow the request
 */
export function plan(request: Request, source: Source, accepted: AcceptedFormats): Plan {
  const { f = "auto" } = request;
  if (f === "json") throw refused("f", f, "is no picture");
  const isAnimated = source.pages > 1 && request.anim !== false;
  const crop = request.crop && inside(request.crop, source);
  const rotation = request.rot ?? 0;
  const picture = swapSidesIfTurned(crop ? { width: crop.w, height: crop.h } : source, rotation);
  const box = layoutRequest(request, source, picture);
  const placed = layout(picture, box);
  // the shape of what remains after trimming is not known
  const mayBePadded =
    placed.pad !== undefined || (request.trim !== undefined && box.fit === "contain");
  const background = request.bg ?? (mayBePadded ? defaultBackground(source) : undefined);
  const hasAlpha =
    (source.hasAlpha && !isOpaque(background)) || (mayBePadded && !isOpaque(background));
  const format = chosen(f, {
    isAnimated,
    hasAlpha,
    isLossless: request.q === "lossless",
    pixels: placed.width * placed.height,
    accepted,
  });
  if (isAnimated) checkMotion(request, source, placed);
  const frames = isAnimated ? source.pages : 1;
  const encoding = EncoderSettings.settings(format, request.q ?? "auto", { ...placed, frames });
  const { blur, sharpen } = request;
  const isFlat = isOpaque(background) || !formats[format].carriesAlpha;
  RenderCost.check({ ...placed, encoding, blur, sharpen }, frames);

  return {
    engine: 2,
    source: { width: source.width, height: source.height },
    frames: isAnimated ? "all" : "first",
    ...(request.trim === undefined ? {} : { trim: { threshold: request.trim, ask: box } }),
    ...(crop ? { crop } : {}),
    ...placed,
    turn: rotation,
    mirror: { h: request.flip?.includes("h") ?? false, v: request.flip?.includes("v") ?? false },
    ...(background ? { background: isFlat ? onWhite(background) : background } : {}),
    flatten: isFlat,
    gray: request.gray ?? false,
    ...(blur === undefined ? {} : { blur }),
    ...(sharpen === undefined ? {} : { sharpen }),
    ...(request.bri && { brightness: request.bri }),
    ...(request.con && { contrast: request.con }),
    // there is no colour left to change
    ...(request.sat && !request.gray && { saturation: request.sat }),
    ...(request.meta === "copyright" && credited(source, format)),
    encoding,
  };
}

/** Omits an empty credit, so that the hash equals that of a request without `meta`. */
const credited = ({ credit }: Source, format: Format): Pick<Plan, "credit"> =>
  credit && Object.keys(credit).length > 0 && formats[format].carriesText ? { credit } : {};

/** The name of the derivative: 20 hexadecimal digits, equal for every spelling of equal requests. */
export const hash = (plan: Plan): string =>
  createHash("sha256")
    .update(JSON.stringify(sorted(plan)))
    .digest("hex")
    .slice(0, 20);

/** The plan for the part that remains after trimming. */
export function planTrimmed(plan: Plan, box: Box): Plan {
  if (!plan.trim) return plan;
  const { trim, cut: _cut, pad: _pad, ...rest } = plan;
  return {
    ...rest,
    crop: box,
    ...layout(swapSidesIfTurned({ width: box.w, height: box.h }, plan.turn), trim.ask),
  };
}

/** The size before (or after) a rotation, in pixels; a quarter turn swaps the sides. */
export const swapSidesIfTurned = ({ width, height }: Size, turn: Plan["turn"]): Size =>
  turn % 180 === 0 ? { width, height } : { width: height, height: width };

/** `picture` is what is laid out: the upright original after crop and rotation. */
function layoutRequest(request: Request, source: Source, picture: Size): LayoutRequest {
  const dpr = request.dpr ?? 1;
  const device = (edge: number | undefined) =>
    edge === undefined ? undefined : Math.round(edge * dpr);
  const given = { width: device(request.w), height: device(request.h) };
  const fit = request.fit ?? (request.ar ? "cover" : "inside");
  return {
    fit,
    ...(request.ar ? shaped(given, request.ar, { fit, picture }) : given),
    at: at(request.pos ?? source.focal ?? "center", source.pages),
    up: request.up ?? false,
  };
}

/** The box of the ratio `ar`, such as 16:9: from its one given side, or from the picture. */
function shaped(
  { width, height }: Pick<LayoutRequest, "width" | "height">,
  ar: string,
  { fit, picture }: { fit: LayoutRequest["fit"]; picture: Size },
): Size {
  if (width !== undefined && height !== undefined)
    throw refused("ar", ar, "is too much beside w and h, which give the shape already");
  if (fit === "inside" || fit === "outside")
    throw refused("ar", ar, `has no meaning with fit=${fit}; use cover, contain or fill`);
  const [across = 1, down = 1] = ar.split(/[:/]/).map(Number);
  const ratio = across / down;
  const side = (length: number) => Math.max(1, Math.round(length));
  if (width !== undefined) return { width, height: side(width / ratio) };
  if (height !== undefined) return { width: side(height * ratio), height };
  const isWider = ratio > picture.width / picture.height;
  // the largest part of the picture, or with `contain` the smallest box around it
  return isWider === (fit === "contain")
    ? { width: side(picture.height * ratio), height: picture.height }
    : { width: picture.width, height: side(picture.width / ratio) };
}

const middle = 0.5;
const corners: Record<string, Point> = {
  center: { x: middle, y: middle },
  top: { x: middle, y: 0 },
  bottom: { x: middle, y: 1 },
  left: { x: 0, y: middle },
  right: { x: 1, y: middle },
  "top-left": { x: 0, y: 0 },
  "top-right": { x: 1, y: 0 },
  "bottom-left": { x: 0, y: 1 },
  "bottom-right": { x: 1, y: 1 },
};

/** The search for the interesting part needs a single picture; an animation is cropped at its centre. */
function at(position: NonNullable<Request["pos"]>, pages: number): LayoutRequest["at"] {
  if (typeof position === "object") return position;
  if (position === "attention" || position === "entropy")
    return pages > 1 ? { x: middle, y: middle } : position;
  return corners[position] ?? { x: middle, y: middle };
}

function inside(crop: Box, source: Size): Box {
  if (crop.x + crop.w <= source.width && crop.y + crop.h <= source.height) return crop;
  const value = `${crop.x},${crop.y},${crop.w},${crop.h}`;
  throw refused(
    "crop",
    value,
    `lies outside the picture, which is ${source.width} × ${source.height}`,
  );
}

/** An opaque image gets white bars in every format, a transparent one transparent bars. */
const defaultBackground = (source: Source) => (source.hasAlpha ? "00000000" : "ffffff");

function chosen(
  f: Format | "auto",
  {
    isAnimated,
    hasAlpha,
    isLossless,
    pixels,
    accepted,
  }: {
    isAnimated: boolean;
    hasAlpha: boolean;
    isLossless: boolean;
    pixels: number;
    accepted: AcceptedFormats;
  },
): Format {
  if (isLossless && f !== "auto" && !EncoderSettings.losslessFormats.includes(f))
    throw refused(
      "q",
      "lossless",
      `is not possible as ${f}; formats without loss are ${EncoderSettings.losslessFormats.join(", ")}`,
    );
  if (f === "avif" && pixels > Limits.MAX_AVIF_PIXELS) {
    throw refused(
      "f",
      f,
      `is limited to ${Limits.MAX_AVIF_PIXELS / 1e6} megapixels and this would have ${Math.ceil(pixels / 1e5) / 10}; ask for a smaller w or for webp`,
    );
  }
  if (f !== "auto" && isAnimated && !formats[f].canBeAnimated)
    throw refused(
      "f",
      f,
      "cannot move, and this picture does; ask for webp or gif, or for its first frame with anim=0",
    );
  if (f !== "auto") return f;
  if (isLossless) {
    if (accepted.webp) return "webp";
    if (!isAnimated) return "png";
    throw refused(
      "q",
      "lossless",
      "is possible for a moving picture as webp only, which the client does not accept",
    );
  }
  if (isAnimated) return accepted.webp ? "webp" : "gif";
  if (accepted.avif && pixels <= Limits.MAX_AVIF_PIXELS) return "avif";
  if (accepted.webp) return "webp";
  return hasAlpha ? "png" : "jpeg";
}

/** What is not offered for a moving picture: each frame would be trimmed to another size, and rotating, flipping and blurring wait for a use. */
function checkMotion(request: Request, source: Source, placed: Layout) {
  const keys = ["rot", "flip", "trim", "blur"] as const;
  const impossible = keys.find(
    (key) => request[key] !== undefined && !(key === "rot" && request.rot === 0),
  );
  if (impossible)
    throw refused(
      impossible,
      String(request[impossible]),
      "cannot be done to a moving picture; ask for its first frame with anim=0",
    );
  const pixels = placed.scale.width * placed.scale.height * source.pages;
  if (pixels > Limits.MAX_ANIMATION_PIXELS) {
    throw new Refusal(
      "invalid",
      "delivery.too_large",
      `${source.pages} frames of ${placed.scale.width} × ${placed.scale.height} exceed ${Limits.MAX_ANIMATION_PIXELS / 1e6} megapixels; ask for a smaller w`,
    );
  }
}

function refused(key: keyof Request, value: string, detail: string) {
  return new Refusal("invalid", "delivery.invalid_query", `"${key}" = "${value}" ${detail}`, {
    problems: [{ key, value, detail }],
  });
}

/** The hash must not depend on the order of the plan's fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
