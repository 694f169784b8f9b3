import sharp from "sharp";
import { expect, test } from "vitest";

import { photo } from "../test/samples.ts";
import * as ExifCredit from "./exif-credit.ts";
import { MAX_CREDIT_CHARACTERS } from "./limits.ts";
import { identify } from "./identify.ts";
import * as Plan from "./plan.ts";
import { render } from "./render.ts";

/** EXIF with one text tag, in either byte order. */
function exif(
  text: string | Buffer,
  { tag = 0x8298, isLittle = true, type = 2, length = -1 } = {},
) {
  const value = Buffer.from(text);
  const bytes = Buffer.alloc(26 + value.length);
  const short = (at: number, n: number) =>
    isLittle ? bytes.writeUInt16LE(n, at) : bytes.writeUInt16BE(n, at);
  const long = (at: number, n: number) =>
    isLittle ? bytes.writeUInt32LE(n, at) : bytes.writeUInt32BE(n, at);
  bytes.write(isLittle ? "II" : "MM");
  short(2, 42);
  long(4, 8);
  short(8, 1);
  short(10, tag);
  short(12, type);
  long(14, length < 0 ? value.length : length);
  if (value.length > 4) long(18, 26);
  else value.copy(bytes, 18);
  value.copy(bytes, 26);
  return Buffer.concat([Buffer.from("Exif\0\0"), bytes]);
}

test.each([
  ["Ana\0", "Ana"],
  ["A\0", "A"],
  ["Ana\0Bo, editor\0", "Ana; Bo, editor"],
  [" \0Bo\0", "Bo"],
  ["© Ana Müller 猫", "© Ana Müller 猫"],
  ["two\r\nlines\tand\u001b[31m a colour\u202e", "two lines and [31m a colour"],
  [Buffer.from("\xa9 Jos\xe9 N\xfa\xf1ez", "latin1"), "© José Núñez"],
  ["山田太郎".repeat(150), "山田太郎".repeat(50)],
  // names in Shift JIS, Windows-1251 and GB 2312
  [Buffer.from("8e5293639178", "hex"), undefined],
  [Buffer.from("c8e2e0ed", "hex"), undefined],
  [Buffer.from("c9bdcceccccb", "hex"), undefined],
  ["x".repeat(5000), "x".repeat(MAX_CREDIT_CHARACTERS)],
  ["  \0 \0", undefined],
])("%j is read as %j in either byte order", async (text, copyright) => {
  for (const isLittle of [true, false])
    expect(await ExifCredit.read(exif(text, { isLittle }))).toEqual(copyright ? { copyright } : {});
});

test("a text of the type UTF-8 is read", async () => {
  expect(await ExifCredit.read(exif("山田", { type: 129 }))).toEqual({ copyright: "山田" });
});

test("only text of the tags Artist and Copyright is read", async () => {
  expect(await ExifCredit.read(exif("Ana", { type: 7 }))).toEqual({});
  expect(await ExifCredit.read(exif("Canon", { tag: 0x010f }))).toEqual({});
  expect(await ExifCredit.read(exif("Ana", { tag: 0x013b }))).toEqual({ artist: "Ana" });
});

test("truncated or damaged EXIF never throws", async () => {
  const valid = exif("Ana Example and others");
  for (let length = 0; length <= valid.length; length++)
    await expect(ExifCredit.read(valid.subarray(0, length))).resolves.toBeDefined();
  for (let at = 0; at < valid.length; at++)
    for (const byte of [0, 0x7f, 0xff]) {
      const damaged = Buffer.from(valid);
      damaged[at] = byte;
      await expect(ExifCredit.read(damaged)).resolves.toBeDefined();
    }
  expect(await ExifCredit.read(exif("Ana", { length: 0xffffffff }))).toEqual({});
});

test.each(["ACME (UK, Ltd, and, sons)", "2026 Ana (all rights)", "Ana, Bo, Cy"])(
  "the credit %s is written unchanged into the picture",
  async (copyright) => {
    const bytes = await photo(40, 30).jpeg().toBuffer();
    const source = { ...(await identify(bytes)), hasAlpha: false, credit: { copyright } };
    const plan = Plan.plan({ meta: "copyright" }, source, { avif: false, webp: false });
    const { exif: written } = await sharp((await render(bytes, plan)).data).metadata();
    expect(await ExifCredit.read(written)).toEqual({ copyright });
  },
);
