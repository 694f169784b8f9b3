import { expect, test } from "vitest";

import { gif } from "../test/samples.ts";
import { strip } from "./gif.ts";

test("a GIF without metadata is stored byte for byte", async () => {
  const bytes = await gif(30, 20, ["red", "lime", "blue"]);
  expect(strip(bytes).equals(bytes)).toBe(true);
});

test("a GIF that is truncated or has an unknown block is refused", async () => {
  const bytes = await gif(30, 20, ["red", "lime", "blue"]);
  for (let length = 0; length < bytes.length; length++)
    expect(() => strip(bytes.subarray(0, length))).toThrow(/ends before/);
  const unknownBlock = Buffer.from(bytes);
  unknownBlock[unknownBlock.length - 1] = 0x99;
  expect(() => strip(unknownBlock)).toThrow(/no known kind/);
});
