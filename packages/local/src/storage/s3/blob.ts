import { randomBytes } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A run of bytes in a file; an object is one of them, or as many as it had parts. */
export type Segment = { blob: string; size: number };

export type Blobs = {
  /** Takes in the whole source or nothing. */
  write(source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Bytes `start` to `end`, both included. Hold the segments while reading. */
  read(segments: Segment[], start: number, end: number): AsyncIterable<Uint8Array>;
  /** Keeps files readable that are removed in the meantime; call the result when done. */
  hold(segments: Segment[]): () => void;
  remove(names: string[]): void;
};

/** Names are random, so no key can lead out of the folder. Files that `isKnown` denies, left by a crash, are removed. */
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
  rmSync(join(folder, "tmp"), { recursive: true, force: true });
  mkdirSync(join(folder, "tmp"));

  return {
    async write(source) {
      const name = randomBytes(16).toString("hex");
      const draft = join(folder, "tmp", name);
      const file = await open(draft, "wx");
      try {
        await file.writeFile(source);
      } catch (error) {
        await file.close();
        rmSync(draft, { force: true });
        throw error;
      }
      // no fsync: what a dead process wrote stays in the system's cache, only a power cut could lose it
      await file.close();
      renameSync(draft, pathOf(name));
      return name;
    },

    async *read(segments, start, end) {
      let offset = 0;
      for (const { blob, size } of segments) {
        const [first, last] = [Math.max(start - offset, 0), Math.min(end - offset, size - 1)];
        offset += size;
        if (first > last) continue;
        if (last - first + 1 === size && size <= SMALL) yield await readFile(pathOf(blob));
        else
          yield* createReadStream(pathOf(blob), { start: first, end: last, highWaterMark: SMALL });
      }
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

/** Read at once; more than this goes in pieces of this size. */
const SMALL = 256 * 1024;
