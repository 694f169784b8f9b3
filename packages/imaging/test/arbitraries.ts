import * as fc from "fast-check";

import { type Request, parse, places } from "../src/request.ts";

const fraction = fc.integer({ min: 0, max: 10_000 }).map((n) => n / 10_000);
const thousandths = (min: number, max: number) =>
  fc.integer({ min: min * 1000, max: max * 1000 }).map((n) => n / 1000);
const flag = fc.boolean();

/** Every query parameter with all of its values. A new one does not compile until it is here. */
const values = {
  w: fc.integer({ min: 1, max: 4096 }),
  h: fc.integer({ min: 1, max: 4096 }),
  ar: fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }))
    .map((sides) => parse({ ar: [sides.join(":")] }).request.ar!),
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
  up: flag,
  trim: fc.nat(100),
  bg: fc.stringMatching(/^[0-9a-f]{6}([0-9a-f]{2})?$/),
  blur: thousandths(0.3, 100),
  sharpen: thousandths(0.3, 10),
  bri: fc.integer({ min: -100, max: 100 }),
  con: fc.integer({ min: -100, max: 100 }),
  sat: fc.integer({ min: -100, max: 100 }),
  gray: flag,
  anim: flag,
  f: fc.constantFrom("auto", "avif", "webp", "jpeg", "png", "gif"),
  q: fc.oneof(fc.constantFrom("auto", "lossless"), fc.integer({ min: 1, max: 100 })),
  meta: fc.constantFrom("none", "copyright"),
  dl: fc.stringMatching(/^[\w &=%+#?,.ü猫-]{1,40}$/u),
} satisfies Record<keyof Request, fc.Arbitrary<unknown>>;

/** Requests with every query parameter, each present or absent. */
export const anyRequest: fc.Arbitrary<Request> = fc.record(values, { requiredKeys: [] });

const smallEdge = fc.integer({ min: 1, max: 160 });

/** Requests with small sizes, which render fast. Without `crop`, which must fit the size of the image. */
export const quickRequest: fc.Arbitrary<Request> = fc
  .tuple(anyRequest, smallEdge, smallEdge)
  .map(([request, w, h]) => ({
    ...request,
    crop: undefined,
    // which the shape contradicts, and which would nearly always be refused
    ...(((request.w !== undefined && request.h !== undefined) ||
      request.fit === "inside" ||
      request.fit === "outside") && { ar: undefined }),
    ...(request.w !== undefined && { w }),
    ...(request.h !== undefined && { h }),
  }));
