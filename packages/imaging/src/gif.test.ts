import sharp from "sharp";
import { expect, test } from "vitest";

import { gif } from "../test/samples.ts";
import { strip } from "./gif.ts";

test("a GIF without metadata is stored byte for byte", async () => {
  const bytes = await gif(30, 20, ["red", "lime", "blue"]);
  expect(strip(bytes).equals(bytes)).toBe(true);
});

test("a GIF that ends within its first frame is refused, and one with an unknown block before it", async () => {
  const bytes = await sharp({ create: { width: 30, height: 20, channels: 3, background: "red" } })
    .gif()
    .toBuffer();
  for (let length = 0; length < bytes.length - 1; length++)
    expect(() => strip(bytes.subarray(0, length))).toThrow(/ends before/);
  const unknownBlock = Buffer.from(bytes);
  unknownBlock[bytes.indexOf(Buffer.of(0x21, 0xf9))] = 0x99;
  expect(() => strip(unknownBlock)).toThrow(/no known kind/);
});

test("a GIF ends with its last whole frame, with or without a trailer", async () => {
  const bytes = await gif(30, 20, ["red", "lime", "blue"]);
  const withoutTrailer = bytes.subarray(0, -1);
  expect(strip(withoutTrailer).equals(bytes)).toBe(true);
  for (const trailer of [Buffer.of(0x99), Buffer.of(0, 0, 0x3b), Buffer.from("<?php ?>")])
    expect(strip(Buffer.concat([withoutTrailer, trailer])).equals(bytes)).toBe(true);
});
