import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** A file that can be read from its beginning while somebody still writes it. */
export type Growing = {
  /** From the first byte; waits for what is not written yet. Fails when the writing fails. */
  read(): Readable;
  /** Everything, when the last byte is written; the file is gone then. */
  whole: Promise<Buffer>;
};

/** libvips writes to a file as it goes and to memory only at the end. Looking costs microseconds, and nothing tells a reader in time: inotify's events arrive in batches. */
const LOOK_MS = 5;
const PIECE_BYTES = 64 * 1024;

/** Resolves with the first bytes; rejects when the writing fails before them. */
export async function create(write: (file: string) => Promise<void>): Promise<Growing> {
  const folder = await mkdtemp(join(tmpdir(), "growing-"));
  const file = join(folder, "picture");
  const handle = await open(file, "w+");
  const writing = { ended: false };
  const whole = writeAll();
  // whoever reads hears of it; there may be nobody
  whole.catch(() => {});

  while (!writing.ended && (await handle.stat()).size === 0) await sleep(LOOK_MS);
  if (writing.ended) await whole;
  return { whole, read: () => Readable.from(pieces(), { objectMode: false }) };

  async function writeAll() {
    try {
      await write(file);
      return await read(handle);
    } finally {
      // from here on nobody begins to read from the handle
      writing.ended = true;
      await handle.close();
      await rm(folder, { recursive: true });
    }
  }

  async function* pieces() {
    let at = 0;
    while (!writing.ended) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, at);
      at += bytesRead;
      if (bytesRead > 0) yield piece.subarray(0, bytesRead);
      else await Promise.race([sleep(LOOK_MS), whole]);
    }
    const rest = (await whole).subarray(at);
    if (rest.length > 0) yield rest;
  }
}

async function read(handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat();
  const data = Buffer.allocUnsafe(size);
  for (let at = 0; at < size;) at += (await handle.read(data, at, size - at, at)).bytesRead;
  return data;
}
