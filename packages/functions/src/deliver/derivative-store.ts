import * as Bucket from "@balde/core/bucket";
import type { Readable } from "node:stream";

import * as Range from "./range.ts";

// Pictures that were made before, streamed out of the bucket without being held here.

export type Found = {
  body?: Readable;
  bytes: number;
  contentRange?: string | undefined;
  /** The bucket's own, of the whole object. */
  eTag: string;
  lastModified: Date;
  isBetter: boolean;
};

/** Noted with a picture that took the place of the first one. */
export const better = { effort: "better" };

/** undefined when it has never been made, or has expired. */
export async function get(
  key: string,
  { isHead, range }: { isHead: boolean; range: Range.Range | undefined },
): Promise<Found | undefined> {
  try {
    const found = await (isHead ? Bucket.head(key) : Bucket.open(key, range && Range.print(range)));
    return found && { ...found, isBetter: found.metadata["effort"] === better.effort };
  } catch (error) {
    if ((error as { status?: number }).status !== 416) throw error;
    throw Range.outside((await Bucket.head(key))?.bytes ?? 0);
  }
}
