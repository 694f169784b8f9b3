import { expect, test } from "vitest";

import { photo } from "../../test/samples.ts";
import * as Plan from "../plan.ts";
import { crop } from "./crop.ts";

const source = { width: 300, height: 240, format: "jpeg", hasAlpha: false, pages: 1 } as const;
const plan = Plan.plan({ w: 30, crop: { x: 100, y: 50, w: 100, h: 100 } }, source, {
  avif: false,
  webp: false,
});

test.each([
  ["the original is not rounded", { width: 300, height: 240 }, { width: 100, height: 100 }],
  // columns 33.3 to 66.7 and rows 16.7 to 50
  ["a rung is rounded outwards", { width: 100, height: 80 }, { width: 34, height: 34 }],
])("the crop of %s", async (_, from, expected) => {
  const cropped = crop(photo(from.width, from.height), plan, { ...from, colour: "srgb" });
  const { info } = await cropped.raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject(expected);
});
