import { S3Error } from "./s3-error.ts";

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
