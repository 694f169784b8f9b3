import { expect, test } from "vitest";

import * as Limits from "../limits.ts";
import { Memory, load } from "./libheif.ts";

test("the memory of the decoder has a maximum, and what does not fit is refused", () => {
  const memory = new Memory(load());
  const half = Limits.MAX_HEIF_MEMORY_BYTES / 2;
  expect(memory.allocate(half)).toBeGreaterThan(0);
  expect(() => memory.allocate(half)).toThrow(
    expect.objectContaining({ name: "Refusal", code: "image.too_complex" }),
  );
});
