import * as Bucket from "@balde/core/bucket";
import type { Readable } from "node:stream";

import * as Range from "@balde/http/range";

// Derivatives that were stored before. They are streamed from the bucket, not held in memory.

/** A stored derivative, or the part of it that was asked for. */
export type Stored = {
  /** Absent for HEAD. */
  body?: Readable;
  /** Of the body, or of the body that a GET would have. */
  bytes: number;
  contentRange?: string | undefined;
  /** The bucket's own tag, of the whole object. */
  bucketETag: string;
  lastModified: Date;
  /** It replaced the derivative that was rendered first. */
  isReencoded: boolean;
};

/** The part of a derivative that a client asks for. */
export type Part = {
  isHead: boolean;
  /** undefined for the whole. */
  range?: Range.Range | undefined;
  /** The encoding that the client has the other parts of, when it says so (`If-Range`): of another encoding it gets the whole. */
  rangeOf?: "first" | "reencoded" | undefined;
};

/** Metadata of an object that replaced the derivative that was rendered first. */
export const reencodedMetadata = { effort: "better" };

/** undefined when the derivative was never stored, or has expired. Throws `RangeNotSatisfiable`. */
export async function get(key: string, part: Part): Promise<Stored | undefined> {
  const { isHead, range, rangeOf } = part;
  if (isHead || !range) return read(key, part);
  try {
    const stored = await read(key, part);
    if (!stored || !rangeOf || stored.isReencoded === (rangeOf === "reencoded")) return stored;
    stored.body?.destroy();
  } catch (error) {
    if ((error as { status?: number }).status !== 416) throw error;
    // with `If-Range`, a range that does not apply is ignored: RFC 9110, section 13.2.2
    if (!rangeOf) throw new Range.RangeNotSatisfiable((await Bucket.head(key))?.bytes ?? 0);
  }
  return read(key, { isHead });
}

async function read(key: string, { isHead, range }: Part): Promise<Stored | undefined> {
  const object = await (isHead
    ? Bucket.head(key)
    : Bucket.open(key, { range: range && Range.print(range) }));
  if (!object) return undefined;
  const { eTag, metadata, ...stored } = object;
  const isReencoded = metadata["effort"] === reencodedMetadata.effort;
  return { ...stored, bucketETag: eTag, isReencoded };
}
