import { expect, test } from "vitest";

import { photo } from "../test/samples.ts";
import * as Plan from "./plan.ts";
import { Refusal, refuseBadInput } from "./refusal.ts";
import { renderInto } from "./render.ts";

const thrown = (error: unknown) =>
  refuseBadInput(async () => {
    throw error;
  });

test.each([
  ["VipsJpeg: Premature end of JPEG file", "image.truncated"],
  ["Input buffer has corrupt header: pngload_buffer: libspng read error", "image.truncated"],
  ["gifload_buffer: Invalid frame data", "image.damaged"],
  ["VipsJpeg: premature end of JPEG image\nvips2png: unable to write to target", "image.truncated"],
  ["timeout: 12% complete", "image.too_complex"],
])("what libvips says of the picture is the sender's to mend: %s", async (says, code) => {
  await expect(thrown(new Error(says))).rejects.toMatchObject({ kind: "unprocessable", code });
});

test.each([
  new TypeError("Cannot read properties of undefined"),
  new RangeError("offset is out of range"),
  new Error("Expected positive integer for width but received 0 of type number"),
  new Error("vips_malloc: out of memory"),
  Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
  "a string",
])("a mistake of ours is not blamed on the picture: %s", async (error) => {
  await expect(thrown(error)).rejects.toBe(error);
});

test("a refusal stays what it is", async () => {
  const refusal = new Refusal("invalid", "delivery.too_large", "too large");
  await expect(thrown(refusal)).rejects.toBe(refusal);
});

test("a file that cannot be written is not the picture's fault", async () => {
  const bytes = await photo(30, 20).png().toBuffer();
  const source = { width: 30, height: 20, format: "png", hasAlpha: false, pages: 1 } as const;
  const plan = Plan.plan({}, source, { avif: false, webp: false });
  await expect(renderInto("/nowhere/at/all.jpg", bytes, plan)).rejects.not.toBeInstanceOf(Refusal);
});
