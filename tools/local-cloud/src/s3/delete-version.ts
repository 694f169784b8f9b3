import type { Call, S3 } from "./types.ts";
import * as Preconditions from "./preconditions.ts";
import * as ObjectEvents from "./object-events.ts";
import { noSuchKey } from "./s3-error.ts";
import type { Bucket } from "./bucket.ts";
import type { Version } from "./store.ts";

/** Deletes within a transaction: the named version; else, in a versioned bucket, it adds a delete marker; else the object. */
export function deleteVersion(
  s3: S3,
  cause: ObjectEvents.Cause,
  bucket: Bucket,
  key: string,
  versionId?: string,
  family: "ObjectRemoved" | "LifecycleExpiration" = "ObjectRemoved",
): Version | undefined {
  if (versionId === undefined && bucket.versioning) {
    const marker = s3.store.mark(bucket.name, key, bucket.versioning, s3.clock.now());
    ObjectEvents.sendEvent(s3, cause, `${family}:DeleteMarkerCreated`, marker);
    return marker;
  }
  const version =
    versionId === undefined
      ? s3.store.current(bucket.name, key)
      : s3.store.version(bucket.name, key, versionId);
  if (!version) return undefined;
  s3.store.remove(bucket.name, version);
  ObjectEvents.sendEvent(s3, cause, `${family}:Delete`, version);
  return version;
}

export const actionOf = (versionId: string | undefined) =>
  versionId ? "s3:DeleteObjectVersion" : "s3:DeleteObject";

export function demandMatch(
  call: Pick<Call, "headers" | "key">,
  target: Version | undefined,
): void {
  if (!target || target.marker) throw noSuchKey(call.key);
  Preconditions.demandTarget({ "if-match": call.headers["if-match"] }, call.key, target);
}
