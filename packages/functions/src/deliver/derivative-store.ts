import * as Bucket from "@balde/core/bucket";
import type { Readable } from "node:stream";

import * as Range from "@balde/http/range";

import type { Delivery } from "./delivery.ts";

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
  /** The revision and the plan, of a copy that is stored for a request. */
  plan: string | undefined;
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
const reencodedMetadata = { effort: "better" };

type Location = Pick<Delivery, "key" | "byRequest">;

/** Stores a derivative that was rendered, and its copy for the request. Equal plans make equal bytes: the first one that is stored is as good as this. */
export async function put(
  { key, byRequest }: Location,
  data: Buffer,
  { type }: { type: string },
): Promise<void> {
  const copying = Bucket.put(byRequest.key, data, { type, metadata: { plan: byRequest.plan } });
  await Promise.all([Bucket.put(key, data, { type, createOnly: true }), copying]);
}

/** Replaces a stored derivative, and its copy, where they have this tag of the bucket: what was erased meanwhile does not come back. */
export async function replace(
  { key, byRequest }: Location,
  data: Buffer,
  { type, ifMatch }: { type: string; ifMatch: string },
): Promise<void> {
  const { plan } = byRequest;
  const metadata = { ...reencodedMetadata, plan };
  await Promise.all([
    Bucket.put(key, data, { type, ifMatch, metadata }),
    // equal bytes have an equal tag: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    Bucket.put(byRequest.key, data, { type, ifMatch, metadata }),
  ]);
}

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
  return { ...stored, bucketETag: eTag, isReencoded, plan: metadata["plan"] };
}
