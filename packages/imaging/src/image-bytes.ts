import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** An encoded image: its bytes, or the path of the file that has them. A file need not fit into memory; sharp reads both. */
export type ImageBytes = Buffer | string;

/** In bytes. */
export const sizeOf = async (image: ImageBytes): Promise<number> =>
  typeof image === "string" ? (await stat(image)).size : image.length;

/** The bytes from `from` up to, but not including, `to`; fewer where the image ends. */
export async function readPart(image: ImageBytes, from: number, to: number): Promise<Buffer> {
  if (typeof image !== "string") return image.subarray(from, to);
  await using file = await open(image);
  const part = Buffer.alloc(Math.max(0, Math.min(to, (await file.stat()).size) - from));
  let length = 0;
  while (length < part.length) {
    const { bytesRead } = await file.read(part, length, part.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return part.subarray(0, length);
}

/** All bytes: only for images that are small. */
export const readAll = async (image: ImageBytes): Promise<Buffer> =>
  typeof image === "string" ? readFile(image) : image;

/** In hexadecimal digits. */
export async function sha256(image: ImageBytes): Promise<string> {
  const hash = createHash("sha256");
  if (typeof image !== "string") return hash.update(image).digest("hex");
  await pipeline(createReadStream(image, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest("hex");
}
