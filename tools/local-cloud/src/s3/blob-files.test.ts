import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";

import { openBlobs } from "./blob-files.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "blobs-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const write = (blobs: ReturnType<typeof openBlobs>, text: string) =>
  blobs.write(Readable.from([Buffer.from(text)]));
const exists = (name: string) => existsSync(join(folder, "blobs", name.slice(0, 2), name));

test("a removed file stays until its last reader has ended", async () => {
  const blobs = openBlobs(folder, () => true);
  const blob = await write(blobs, "bytes");
  const segments = [{ blob, size: 5 }];
  const [first, second] = [blobs.hold(segments), blobs.hold(segments)];
  blobs.remove([blob]);
  first();
  expect(exists(blob)).toBe(true);
  second();
  expect(exists(blob)).toBe(false);
});

test("a file that was held and is removed later is removed at once", async () => {
  const blobs = openBlobs(folder, () => true);
  const blob = await write(blobs, "bytes");
  blobs.hold([{ blob, size: 5 }])();
  expect(exists(blob)).toBe(true);
  blobs.remove([blob]);
  expect(exists(blob)).toBe(false);
});

test("files that no object names, left by a crash, are removed at the start", async () => {
  const before = openBlobs(folder, () => true);
  const [known, left] = [await write(before, "known"), await write(before, "left")];
  openBlobs(folder, (name) => name === known);
  expect([exists(known), exists(left)]).toEqual([true, false]);
});

test("a source that fails leaves no file", async () => {
  const blobs = openBlobs(folder, () => true);
  const failing = async function* () {
    yield Buffer.alloc(2 * 1024 * 1024);
    throw new Error("broken");
  };
  await expect(blobs.write(failing())).rejects.toThrow("broken");
  expect(
    readdirSync(join(folder, "blobs")).flatMap((shelf) =>
      readdirSync(join(folder, "blobs", shelf)),
    ),
  ).toEqual([]);
});

test("a range of several segments is read across their borders", async () => {
  const blobs = openBlobs(folder, () => true);
  const segments: { blob: string; size: number }[] = [];
  for (const text of ["abc", "def", "ghi"])
    segments.push({ blob: await write(blobs, text), size: text.length });
  const read = async (start: number, end: number) =>
    String(await buffer(Readable.from(blobs.read(segments, start, end))));
  expect(await read(0, 8)).toBe("abcdefghi");
  expect(await read(2, 6)).toBe("cdefg");
  expect(await read(3, 5)).toBe("def");
  expect(await read(8, 8)).toBe("i");
});
