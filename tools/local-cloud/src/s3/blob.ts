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

/** A run of bytes in a file; an object is one of them, or as many as it had parts. */
export type Segment = { blob: string; size: number };

export type Blobs = {
  /** Takes in the whole source or nothing. */
  write(source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Bytes `start` to `end`, both included. Hold the segments while reading. */
  read(segments: Segment[], start: number, end: number): Uint8Array | AsyncIterable<Uint8Array>;
  /** Keeps files readable that are removed in the meantime; call the result when done. */
  hold(segments: Segment[]): () => void;
  remove(names: string[]): void;
};

/** Names are random, so no key can lead out of the folder. Files that `isKnown` denies, left by a crash in the middle of an upload, are removed. */
export function openBlobs(folder: string, isKnown: (name: string) => boolean): Blobs {
  const pathOf = (name: string) => join(folder, "blobs", name.slice(0, 2), name);
  const holders = new Map<string, number>();
  const doomed = new Set<string>();
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
        // no fsync: what a dead process wrote stays in the system's cache, only a power cut could lose it
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
      // handing a small file over to the system's threads and back costs ten times the reading
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
          if (doomed.delete(blob)) discard(blob);
        }
      };
    },

    remove(names) {
      for (const name of names) {
        if (holders.has(name)) doomed.add(name);
        else discard(name);
      }
    },
  };
}

/** Takes in what is small at once, and says what is to come if there is more. */
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

/** Read or written at once. */
const SMALL = 1024 * 1024;
const PIECE = 256 * 1024;

export type Received = Segment & {
  md5: string;
  checksum?: { algorithm: Algorithm; value: string };
};
