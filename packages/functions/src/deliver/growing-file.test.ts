import { appendFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";

import * as GrowingFile from "./growing-file.ts";

const chunk = (of: string) => Buffer.alloc(100_000, of);

test("each reader gets all bytes from the first one on, and those that are written before the rest is", async () => {
  const isRead = Promise.withResolvers<void>();
  const growing = await GrowingFile.create(async (file) => {
    await appendFile(file, chunk("a"));
    // goes on only when a reader has read what there is
    await isRead.promise;
    await appendFile(file, chunk("b"));
  });

  const early = growing.read()[Symbol.asyncIterator]();
  const first = await early.next();
  expect(first.value[0]).toBe("a".charCodeAt(0));
  const late = buffer(growing.read());
  isRead.resolve();
  let bytes = first.value.length;
  for (let next = await early.next(); !next.done; next = await early.next())
    bytes += next.value.length;

  const all = Buffer.concat([chunk("a"), chunk("b")]);
  expect(bytes).toBe(all.length);
  expect(all.equals(await late)).toBe(true);
  expect(all.equals(await growing.whole)).toBe(true);
  expect(all.equals(await buffer(growing.read()))).toBe(true);
});

test("there is no file when the writing fails before its first byte, and readers fail when it fails later", async () => {
  const failing = GrowingFile.create(() => Promise.reject(new Error("not an image")));
  await expect(failing).rejects.toThrow("not an image");

  const failure = Promise.withResolvers<void>();
  // on a busy machine it fails before it is awaited
  failure.promise.catch(() => {});
  const growing = await GrowingFile.create(async (file) => {
    await appendFile(file, chunk("a"));
    await failure.promise;
  });
  const reading = buffer(growing.read());
  failure.reject(new Error("the disk is full"));
  await expect(reading).rejects.toThrow("the disk is full");
  await expect(growing.whole).rejects.toThrow("the disk is full");
});
