import * as fc from "fast-check";

import { type Request, places } from "../src/request.ts";

const fraction = fc.integer({ min: 0, max: 10_000 }).map((n) => n / 10_000);
const thousandths = (least: number, most: number) =>
  fc.integer({ min: least * 1000, max: most * 1000 }).map((n) => n / 1000);
const claim = fc.boolean();

/** Every word of the grammar with every value it has. */
export const anyRequest: fc.Arbitrary<Request> = fc.record(
  {
    w: fc.integer({ min: 1, max: 4096 }),
    h: fc.integer({ min: 1, max: 4096 }),
    dpr: thousandths(1, 4),
    fit: fc.constantFrom("cover", "contain", "fill", "inside", "outside"),
    pos: fc.oneof(fc.constantFrom(...places), fc.record({ x: fraction, y: fraction })),
    crop: fc.record({
      x: fc.nat(30_000),
      y: fc.nat(30_000),
      w: fc.integer({ min: 1, max: 30_000 }),
      h: fc.integer({ min: 1, max: 30_000 }),
    }),
    rot: fc.constantFrom(0, 90, 180, 270),
    flip: fc.constantFrom("h", "v", "hv"),
    up: claim,
    trim: fc.nat(100),
    bg: fc.stringMatching(/^[0-9a-f]{6}([0-9a-f]{2})?$/),
    blur: thousandths(0.3, 100),
    sharpen: thousandths(0.3, 10),
    gray: claim,
    anim: claim,
    f: fc.constantFrom("auto", "avif", "webp", "jpeg", "png", "gif"),
    q: fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 100 })),
    meta: fc.constantFrom("none", "copyright"),
    dl: fc.stringMatching(/^[\w &=%+#?,.ü猫-]{1,40}$/u),
  },
  { requiredKeys: [] },
);

const few = fc.integer({ min: 1, max: 160 });

/** The same in sizes that are made in a moment; `crop` is left to who knows the picture. */
export const quickRequest: fc.Arbitrary<Request> = fc
  .tuple(anyRequest, few, few)
  .map(([request, w, h]) => ({
    ...request,
    crop: undefined,
    ...(request.w !== undefined && { w }),
    ...(request.h !== undefined && { h }),
  }));
