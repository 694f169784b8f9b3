import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** In milliseconds. */
const INTERVAL_MS = 100;

export type WatchedDisk = {
  folder: string;
  limitBytes: number;
  exceeded(): void;
};

/** Watches what processes that process an event have in their /tmp. Lambda fails the write that does not fit; here the process is ended a little later. */
export function createDiskWatch() {
  const watched = new Set<WatchedDisk>();
  const timer = setInterval(() => {
    for (const { folder, limitBytes, exceeded } of watched)
      if (sizeOf(folder) > limitBytes) exceeded();
  }, INTERVAL_MS);
  timer.unref();
  return {
    add: (target: WatchedDisk) => void watched.add(target),
    delete: (target: WatchedDisk) => void watched.delete(target),
    stop: () => clearInterval(timer),
  };
}

/** Of all files in the folder, in bytes. */
function sizeOf(folder: string): number {
  const sizes = list(folder).map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sizeOf(path);
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Empty for a folder that was removed meanwhile. */
function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
