import { randomBytes } from "node:crypto";
import {
  createReadStream,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { Algorithm } from "./checksum.ts";

/** A sequence of bytes in a file. An object has one, or one per part of its multipart upload. */
export type Segment = { blob: string; size: number };

export type Blobs = {
  /** Stores the whole source or nothing. */
  write(source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Bytes `start` to `end`, both included. The caller holds the segments while it reads. */
  read(segments: Segment[], start: number, end: number): Uint8Array | AsyncIterable<Uint8Array>;
  /** Keeps the files readable if they are removed meanwhile, until the returned function is called. */
  hold(segments: Segment[]): () => void;
  remove(names: string[]): void;
};

/** Opens the folder of blob files. Names are random, so no key can lead out of the folder. Files for which `isKnown` is false, left by a crash during an upload, are removed. */
export function openBlobs(folder: string, isKnown: (name: string) => boolean): Blobs {
  const pathOf = (name: string) => join(folder, "blobs", name.slice(0, 2), name);
  const holders = new Map<string, number>();
  const removedWhileHeld = new Set<string>();
  const discard = (name: string) => rmSync(pathOf(name), { force: true });

  for (let prefix = 0; prefix < 256; prefix++) {
    const shelf = join(folder, "blobs", prefix.toString(16).padStart(2, "0"));
    mkdirSync(shelf, { recursive: true });
    for (const name of readdirSync(shelf)) if (!isKnown(name)) discard(name);
  }

  async function* pieces(segments: Segment[], start: number, end: number) {
    let offset = 0;
    for (const { blob, size } of segments) {
      const [first, last] = [Math.max(start - offset, 0), Math.min(end - offset, size - 1)];
      offset += size;
      if (first > last) continue;
      yield* createReadStream(pathOf(blob), { start: first, end: last, highWaterMark: PIECE });
    }
  }

  return {
    async write(source) {
      const name = randomBytes(16).toString("hex");
      const path = pathOf(name);
      try {
        const { small, rest } = await beginning(source);
        // no fsync: bytes of a killed process stay in the system's cache; only a power cut could lose them
        writeFileSync(path, small, { flag: "wx" });
        if (rest) await appendFile(path, rest);
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      }
      return name;
    },

    read(segments, start, end) {
      const [only, ...others] = segments;
      // reading a small file in the thread pool costs ten times as much
      if (only && others.length === 0 && only.size <= SMALL)
        return readFileSync(pathOf(only.blob)).subarray(start, end + 1);
      return pieces(segments, start, end);
    },

    hold(segments) {
      for (const { blob } of segments) holders.set(blob, (holders.get(blob) ?? 0) + 1);
      return () => {
        for (const { blob } of segments) {
          const left = holders.get(blob)! - 1;
          if (left > 0) {
            holders.set(blob, left);
            continue;
          }
          holders.delete(blob);
          if (removedWhileHeld.delete(blob)) discard(blob);
        }
      };
    },

    remove(names) {
      for (const name of names) {
        if (holders.has(name)) removedWhileHeld.add(name);
        else discard(name);
      }
    },
  };
}

/** Reads a small source at once; of a larger one it returns the first bytes and the rest as a stream. */
async function beginning(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  for (let size = 0; size <= SMALL;) {
    const { value, done } = await pieces.next();
    if (done) return { small: Buffer.concat(taken) };
    taken.push(value);
    size += value.length;
  }
  const rest = { [Symbol.asyncIterator]: () => pieces };
  return { small: Buffer.concat(taken), rest };
}

/** Up to this size a file is read or written synchronously. */
const SMALL = 1024 * 1024;
const PIECE = 256 * 1024;

export type Received = Segment & {
  md5: string;
  checksum?: { algorithm: Algorithm; value: string };
};
