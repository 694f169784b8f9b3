import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Returns random bytes for ids, not for secrets. They come from a pool, because each request to the operating system is slow. */
export function random(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

export const randomHex = (bytes: number) => random(bytes).toString("hex");
