import { S3Error } from "./s3-error.ts";
import type { Call } from "./types.ts";

/** In bytes of UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

/** Any text of up to a kilobyte is a valid key, `../` included: keys are never used as paths. */
export function demand(key: string): void {
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES)
    throw new S3Error("KeyTooLongError", "Your key is too long", {
      Size: String(size),
      MaxSizeAllowed: String(MAX_KEY_BYTES),
    });
  // XML 1.0, the format of listings, cannot contain it
  if (key.includes("\0"))
    throw new S3Error("InvalidArgument", "Object key contains an invalid character.");
}

/** The URL of the object, at the host that the request was sent to; with the bucket in the path if the host does not name it. */
export function url({ headers, bucket, key }: Pick<Call, "headers" | "bucket" | "key">): string {
  const host = headers["host"] ?? "";
  const path = host.startsWith(`${bucket.name}.`) ? "" : `/${bucket.name}`;
  return `http://${host}${path}/${encodeURIComponent(key)}`;
}
