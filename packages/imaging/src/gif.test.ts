import { expect, test } from "vitest";

import { gif } from "../test/samples.ts";
import { strip } from "./gif.ts";

test("a GIF without notes stays as it is, byte for byte", async () => {
  const bytes = await gif(30, 20, ["red", "lime", "blue"]);
  expect(strip(bytes).equals(bytes)).toBe(true);
});

test("a GIF that ends early or in nonsense is refused, not read beyond its end", async () => {
  const bytes = await gif(30, 20, ["red", "lime", "blue"]);
  for (let length = 0; length < bytes.length; length++)
    expect(() => strip(bytes.subarray(0, length))).toThrow(/ends before/);
  const strange = Buffer.from(bytes);
  strange[strange.length - 1] = 0x99;
  expect(() => strip(strange)).toThrow(/no known kind/);
});
