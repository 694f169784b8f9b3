/** Where a pixel of the coded picture lies in the upright one: at `x + a·column + b·row`, `y + c·column + d·row`. Sizes in pixels. */
export type Orientation = {
  width: number;
  height: number;
  x: number;
  y: number;
  a: number;
  b: number;
  c: number;
  d: number;
};

/** Of a picture without properties. */
export const none = (width: number, height: number): Orientation => ({
  width,
  height,
  x: 0,
  y: 0,
  a: 1,
  b: 0,
  c: 0,
  d: 1,
});

/** A quarter turn to the left: the property `irot` has 0 to 3 of them. */
export const turnLeft = ({ width, height, x, y, a, b, c, d }: Orientation): Orientation => ({
  width: height,
  height: width,
  x: y,
  y: width - 1 - x,
  a: c,
  b: d,
  c: -a,
  d: -b,
});

/** The property `imir`. */
export const mirror = (from: Orientation, direction: "horizontal" | "vertical"): Orientation =>
  direction === "horizontal"
    ? { ...from, x: from.width - 1 - from.x, a: -from.a, b: -from.b }
    : { ...from, y: from.height - 1 - from.y, c: -from.c, d: -from.d };

/** The property `clap`, as the borders that it removes. */
export const crop = (
  from: Orientation,
  { left, top, right, bottom }: { left: number; top: number; right: number; bottom: number },
): Orientation => ({
  ...from,
  width: from.width - left - right,
  height: from.height - top - bottom,
  x: from.x - left,
  y: from.y - top,
});
