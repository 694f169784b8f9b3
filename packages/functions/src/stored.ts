import { Resource } from "sst/resource";
import type { Readable } from "node:stream";

import * as Range from "./range.ts";

// Pictures that were made before, streamed out of the bucket without being held here.

type Found = { body?: Readable; bytes: number; contentRange?: string | undefined };

/** undefined when it has never been made, or has expired. */
export async function get(
  key: string,
  { isHead, range }: { isHead: boolean; range: Range.Range | undefined },
): Promise<Found | undefined> {
  const { GetObjectCommand, HeadObjectCommand, client } = await import("./stored.sdk.ts");
  const object = { Bucket: Resource.Images.name, Key: key };
  try {
    if (isHead) {
      const { ContentLength = 0 } = await client().send(new HeadObjectCommand(object));
      return { bytes: ContentLength };
    }
    const command = new GetObjectCommand({ ...object, Range: range && Range.print(range) });
    const { Body, ContentLength = 0, ContentRange } = await client().send(command);
    return { body: Body as Readable, bytes: ContentLength, contentRange: ContentRange };
  } catch (error) {
    const { $metadata, ActualObjectSize } = error as Failure;
    if ($metadata?.httpStatusCode === 404) return undefined;
    if ($metadata?.httpStatusCode === 416) throw Range.outside(Number(ActualObjectSize));
    throw error;
  }
}

/** `ActualObjectSize` is a field of S3's InvalidRange: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
type Failure = { $metadata?: { httpStatusCode?: number }; ActualObjectSize?: string };
