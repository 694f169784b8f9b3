import { appendFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";

import * as GrowingFile from "./growing-file.ts";

const piece = (of: string) => Buffer.alloc(100_000, of);

test("what is written can be read before there is more, by each who asks from the beginning", async () => {
  const { promise: isRead, resolve } = Promise.withResolvers<void>();
  const growing = await GrowingFile.create(async (file) => {
    await appendFile(file, piece("a"));
    // ends only when somebody has read what there is
    await isRead;
    await appendFile(file, piece("b"));
  });

  const early = growing.read()[Symbol.asyncIterator]();
  const first = await early.next();
  expect(first.value[0]).toBe("a".charCodeAt(0));
  const late = buffer(growing.read());
  resolve();
  let bytes = first.value.length;
  for (let next = await early.next(); !next.done; next = await early.next())
    bytes += next.value.length;

  const all = Buffer.concat([piece("a"), piece("b")]);
  expect(bytes).toBe(all.length);
  expect(all.equals(await late)).toBe(true);
  expect(all.equals(await growing.whole)).toBe(true);
  expect(all.equals(await buffer(growing.read()))).toBe(true);
});

test("nothing begins when the writing fails before its first byte, and a reader hears when it fails later", async () => {
  const failing = GrowingFile.create(() => Promise.reject(new Error("no picture")));
  await expect(failing).rejects.toThrow("no picture");

  const growing = await GrowingFile.create(async (file) => {
    await appendFile(file, piece("a"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    throw new Error("broke off");
  });
  await expect(buffer(growing.read())).rejects.toThrow("broke off");
  await expect(growing.whole).rejects.toThrow("broke off");
});
