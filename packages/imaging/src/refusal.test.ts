import { expect, test } from "vitest";

import { photo } from "../test/samples.ts";
import * as Plan from "./plan.ts";
import { Refusal, refuseBadInput } from "./refusal.ts";
import { renderInto } from "./render.ts";

const refuse = (error: unknown) =>
  refuseBadInput(async () => {
    throw error;
  });

test.each([
  ["VipsJpeg: Premature end of JPEG file", "image.truncated"],
  ["Input buffer has corrupt header: pngload_buffer: libspng read error", "image.truncated"],
  ["gifload_buffer: Invalid frame data", "image.damaged"],
  ["VipsJpeg: premature end of JPEG image\nvips2png: unable to write to target", "image.truncated"],
  ["timeout: 12% complete", "image.too_complex"],
  [
    "tiff2vips: Cumulated memory allocation of 11535768 + 88466432 bytes is beyond the 52428800 cumulated byte limit defined in open options",
    "image.too_complex",
  ],
])("an error of libvips about the image becomes a refusal: %s", async (message, code) => {
  await expect(refuse(new Error(message))).rejects.toMatchObject({ kind: "unprocessable", code });
});

test.each([
  new TypeError("Cannot read properties of undefined"),
  new RangeError("offset is out of range"),
  new Error("Expected positive integer for width but received 0 of type number"),
  new Error("vips_malloc: out of memory"),
  Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
  "a string",
])("a programming or system error is not turned into a refusal: %s", async (error) => {
  await expect(refuse(error)).rejects.toBe(error);
});

test("a refusal is passed on unchanged", async () => {
  const refusal = new Refusal("invalid", "delivery.too_large", "too large");
  await expect(refuse(refusal)).rejects.toBe(refusal);
});

test("a file that cannot be written is an error and no refusal", async () => {
  const bytes = await photo(30, 20).png().toBuffer();
  const source = { width: 30, height: 20, format: "png", hasAlpha: false, pages: 1 } as const;
  const plan = Plan.plan({}, source, { avif: false, webp: false });
  await expect(renderInto("/nowhere/at/all.jpg", bytes, plan)).rejects.not.toBeInstanceOf(Refusal);
});
