import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import * as TemporaryFolder from "../temporary-folder.ts";

/** A file that can be read from its beginning while it is still written. */
export type GrowingFile = {
  /** A stream from the first byte, which waits for bytes that are not written yet. Fails when the writing fails. */
  read(): Readable;
  /** All bytes, when the last one is written; the file is deleted then. */
  whole: Promise<Buffer>;
};

/** libvips writes to a file as it goes, and to memory only at the end. A look costs microseconds, and inotify reports late, in batches. */
const POLL_MS = 5;
const CHUNK_BYTES = 64 * 1024;

/** Resolves when `write` has written the first bytes to the file that it is given; rejects when it fails before. */
export async function create(write: (file: string) => Promise<void>): Promise<GrowingFile> {
  const folder = await TemporaryFolder.create();
  const file = join(folder, "image");
  const handle = await open(file, "w+");
  const writing = { hasEnded: false };
  const whole = writeAll();
  // the error goes to the readers, and there may be none
  whole.catch(() => {});

  while (!writing.hasEnded && (await handle.stat()).size === 0) await sleep(POLL_MS);
  if (writing.hasEnded) await whole;
  return { whole, read: () => Readable.from(chunks(), { objectMode: false }) };

  async function writeAll() {
    try {
      await write(file);
      return await readAll(handle);
    } finally {
      // from here on, readers take the bytes from memory
      writing.hasEnded = true;
      await handle.close();
      await TemporaryFolder.remove(folder);
    }
  }

  async function* chunks() {
    let position = 0;
    while (!writing.hasEnded) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position);
      position += bytesRead;
      if (bytesRead > 0) yield chunk.subarray(0, bytesRead);
      else await Promise.race([sleep(POLL_MS), whole]);
    }
    const rest = (await whole).subarray(position);
    if (rest.length > 0) yield rest;
  }
}

async function readAll(handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat();
  const data = Buffer.allocUnsafe(size);
  for (let at = 0; at < size;) at += (await handle.read(data, at, size - at, at)).bytesRead;
  return data;
}
