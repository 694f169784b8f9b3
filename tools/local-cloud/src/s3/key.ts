import { Fault } from "./fault.ts";

/** In bytes of UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

/** Any text of up to a kilobyte is a key, `../` and all: keys are never paths here. */
export function demand(key: string): void {
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES)
    throw new Fault("KeyTooLongError", "Your key is too long", {
      Size: String(size),
      MaxSizeAllowed: String(MAX_KEY_BYTES),
    });
  // XML 1.0, in which keys are listed, has no way to write it
  if (key.includes("\0"))
    throw new Fault("InvalidArgument", "Object key contains an invalid character.");
}
