import * as Bucket from "@balde/core/bucket";
import type { Readable } from "node:stream";

import * as Range from "./range.ts";

// Pictures that were made before, streamed out of the bucket without being held here.

type Found = { body?: Readable; bytes: number; contentRange?: string | undefined };

/** undefined when it has never been made, or has expired. */
export async function get(
  key: string,
  { isHead, range }: { isHead: boolean; range: Range.Range | undefined },
): Promise<Found | undefined> {
  if (isHead) {
    const bytes = await Bucket.size(key);
    return bytes === undefined ? undefined : { bytes };
  }
  try {
    return await Bucket.open(key, range && Range.print(range));
  } catch (error) {
    if ((error as { status?: number }).status !== 416) throw error;
    throw Range.outside((await Bucket.size(key)) ?? 0);
  }
}
