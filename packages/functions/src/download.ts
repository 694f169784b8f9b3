import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";

import * as Bucket from "@balde/core/bucket";

/**
 * Writes the object with this key into the file, through a buffer of a few kilobytes: an original may be larger than the
 * function's memory. Returns its size in bytes; undefined if there is no such object, or if it does not have the given ETag.
 * `start` are the object's first bytes, if the caller has them already.
 *
 * @throws the signal's reason when it is aborted
 */
export async function download(
  key: string,
  file: string,
  { eTag, start, signal }: { eTag?: string; start?: Buffer; signal?: AbortSignal } = {},
): Promise<number | undefined> {
  const range = start?.length ? `bytes=${start.length}-` : undefined;
  const object = await unlessAborted(Bucket.open(key, { range, eTag, isReadAtOnce: true }), signal);
  if (!object) return undefined;
  const written = createWriteStream(file);
  if (range) written.write(start);
  await pipeline(object.body, written, { signal }).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error;
  });
  const size = (range ? start!.length : 0) + object.bytes;
  if (written.bytesWritten !== size)
    throw new Error(`${written.bytesWritten} of the ${size} bytes of ${key} were written`);
  return size;
}

/** The object when S3 answers, unless the signal is aborted before. */
async function unlessAborted(
  opening: Promise<Bucket.OpenedObject | undefined>,
  signal: AbortSignal | undefined,
): Promise<Bucket.OpenedObject | undefined> {
  if (!signal) return opening;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([opening, aborted.promise]);
  } catch (error) {
    opening.then(
      (object) => object?.body.destroy(),
      () => {},
    );
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
