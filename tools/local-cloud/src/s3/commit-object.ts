import * as Access from "./access.ts";
import type { Received } from "./blob-files.ts";
import type { Call, EventName, S3 } from "./types.ts";
import * as Preconditions from "./preconditions.ts";
import * as ObjectEvents from "./object-events.ts";
import * as ObjectHeaders from "./object-headers.ts";
import type { Draft, Version } from "./store.ts";
import * as Xml from "./xml.ts";

/** Stores the object, its version and its event in one commit; discards the bytes if a precondition fails. */
export function commitObject(
  s3: S3,
  call: Call,
  draft: Draft,
  name: EventName,
  also = () => {},
): Version {
  const { bucket, key } = call;
  try {
    return s3.store.transaction(() => {
      Preconditions.demandTarget(call.headers, key, s3.store.current(bucket.name, key));
      const version = s3.store.add(bucket.name, key, bucket.versioning, s3.clock.now(), draft);
      also();
      ObjectEvents.sendEvent(s3, ObjectEvents.causeOf(call), name, version);
      return version;
    });
  } catch (error) {
    s3.blobs.remove(
      draft.segments.map(({ blob }) => blob).filter((blob) => !s3.store.isNamed(blob)),
    );
    throw error;
  }
}

export const draftOfPayload = (received: Received, headers: Record<string, string>): Draft => ({
  segments: [received],
  size: received.size,
  etag: received.md5,
  headers,
  checksum: received.checksum && { ...received.checksum, type: "FULL_OBJECT" },
});

export const storedHeaders = (call: Call, version: Version) => ({
  etag: `"${version.etag}"`,
  ...ObjectHeaders.encryption,
  ...ObjectHeaders.versionId(call, version),
  ...ObjectHeaders.checksumHeaders(version),
});

export const checksumElements = ({ checksum }: Version): Xml.Markup[] =>
  checksum
    ? [
        Xml.element(`Checksum${checksum.algorithm.toUpperCase()}`, checksum.value),
        Xml.element("ChecksumType", checksum.type),
      ]
    : [];

/** If-Match reveals the existing object, so it also requires the permission to read. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
export function assertWriteAllowed(s3: S3, call: Call): void {
  Access.assertAllowed(s3, call, "s3:PutObject");
  if (call.headers["if-match"] !== undefined) Access.assertAllowed(s3, call, "s3:GetObject");
}
