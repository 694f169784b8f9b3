import * as Limits from "./limits.ts";
import type { Point } from "./request.schema.ts";

export type Size = { width: number; height: number };
export type Fit = "cover" | "contain" | "fill" | "inside" | "outside";
type Strategy = "attention" | "entropy";

/** The requested box in device pixels, and how the image fits into it. */
export type LayoutRequest = {
  fit: Fit;
  width?: number | undefined;
  height?: number | undefined;
  at: Point | Strategy;
  up: boolean;
};

/** The geometry of a picture: the whole image is scaled to exactly `scale`, then cropped or padded to `width` × `height` pixels. */
export type Layout = Size & {
  scale: Size;
  cut?: { left: number; top: number } | Strategy;
  pad?: { left: number; top: number; right: number; bottom: number };
};

/** The layout of an image in the requested box. The result never has more pixels than the image unless `up` (`contain` may add padding), and never more than the limits. */
export function layout(picture: Size, request: LayoutRequest): Layout {
  let room = 1;
  let laid = arranged(picture, request, room);
  // sides are rounded to whole pixels, which may exceed the limit by a few pixels
  for (let fits = fitting(laid); fits < 1; fits = fitting(laid)) {
    room *= Math.min(fits, 0.999);
    laid = arranged(picture, request, room);
  }
  return laid;
}

/** The factor, at most 1, that brings both sides within the limits. */
const fitting = ({ width, height, scale }: Layout): number =>
  Math.min(
    1,
    Limits.MAX_OUTPUT_EDGE / Math.max(width, height),
    Math.sqrt(Limits.MAX_OUTPUT_PIXELS / (width * height)),
    Math.sqrt(Limits.MAX_SCALED_PIXELS / (scale.width * scale.height)),
  );

function arranged(picture: Size, request: LayoutRequest, room: number): Layout {
  const box = boxed(picture, request, room);
  const across = box.width / picture.width;
  const down = box.height / picture.height;
  const oneSideIsFree = request.width === undefined || request.height === undefined;
  const most = request.up ? Infinity : 1;

  if (oneSideIsFree || request.fit === "inside")
    return plain(scaled(picture, Math.min(across, down, most)));
  switch (request.fit) {
    case "outside":
      return plain(scaled(picture, Math.min(Math.max(across, down), most * room)));
    case "fill":
      return plain(whole(shrunk(box, request.up ? 1 : Math.max(across, down))));
    case "contain":
      return padded(whole(box), scaled(picture, Math.min(across, down, most)), request.at);
    case "cover": {
      const target = whole(shrunk(box, request.up ? 1 : Math.max(across, down)));
      const scale = scaled(
        picture,
        Math.max(target.width / picture.width, target.height / picture.height),
      );
      return cropped(
        target,
        {
          width: Math.max(scale.width, target.width),
          height: Math.max(scale.height, target.height),
        },
        request.at,
      );
    }
  }
}

/** The box with a missing side computed from the image's shape; the image's own size when both are missing. */
function boxed(picture: Size, { width, height }: LayoutRequest, room: number): Size {
  const own = {
    width: width ?? (height === undefined ? picture.width : Infinity),
    height: height ?? (width === undefined ? picture.height : Infinity),
  };
  return { width: own.width * room, height: own.height * room };
}

const plain = (scale: Size): Layout => ({ ...scale, scale });

/** Reduces a box that exceeds the image, so that it keeps its shape and nothing is enlarged. */
const shrunk = (box: Size, excess: number): Size =>
  excess > 1 ? { width: box.width / excess, height: box.height / excess } : box;

const scaled = (size: Size, by: number): Size =>
  whole({ width: size.width * by, height: size.height * by });

const whole = ({ width, height }: Size): Size => ({
  width: Math.max(1, Math.round(width)),
  height: Math.max(1, Math.round(height)),
});

function cropped(target: Size, scale: Size, at: LayoutRequest["at"]): Layout {
  if (target.width === scale.width && target.height === scale.height) return plain(target);
  if (typeof at === "string") return { ...target, scale, cut: at };
  return {
    ...target,
    scale,
    cut: {
      left: start(scale.width, target.width, at.x),
      top: start(scale.height, target.height, at.y),
    },
  };
}

/** Puts the focal point into the centre of the crop, or as near to it as the edge allows. */
const start = (whole: number, part: number, at: number) =>
  Math.round(Math.min(Math.max(at * whole - part / 2, 0), whole - part));

function padded(target: Size, scale: Size, at: LayoutRequest["at"]): Layout {
  if (target.width === scale.width && target.height === scale.height) return plain(target);
  const { x, y } = typeof at === "string" ? { x: 0.5, y: 0.5 } : at;
  const left = Math.round((target.width - scale.width) * x);
  const top = Math.round((target.height - scale.height) * y);
  return {
    ...target,
    scale,
    pad: {
      left,
      top,
      right: target.width - scale.width - left,
      bottom: target.height - scale.height - top,
    },
  };
}
