import * as Access from "./access.ts";
import type { Call, S3 } from "./types.ts";
import { S3Error, noSuchKey } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import type { Version } from "./store.ts";

/** The version that the request names, or the newest one. */
export function findVersion(s3: S3, call: Call): Version {
  const { bucket, key } = call;
  const versionId = call.query.get("versionId");
  const version =
    versionId === undefined
      ? s3.store.current(bucket.name, key)
      : s3.store.version(bucket.name, key, versionId);
  if (!version) {
    if (versionId === undefined) throw Access.missing(s3, call, bucket, noSuchKey(key));
    throw Access.missing(s3, call, bucket, noSuchVersion(key, versionId));
  }
  if (!version.marker) return version;
  const headers = { "x-amz-delete-marker": "true", ...ObjectHeaders.versionId(call, version) };
  if (versionId === undefined) throw Access.missing(s3, call, bucket, noSuchKey(key, headers));
  throw new S3Error(
    "MethodNotAllowed",
    "The specified method is not allowed against this resource.",
    { Method: call.method, ResourceType: "DeleteMarker" },
    { ...headers, allow: "DELETE", "last-modified": new Date(version.modified).toUTCString() },
  );
}

const noSuchVersion = (key: string, versionId: string) =>
  /^(null|[\w-]{32})$/.test(versionId)
    ? new S3Error("NoSuchVersion", "The specified version does not exist.", {
        Key: key,
        VersionId: versionId,
      })
    : new S3Error("InvalidArgument", "Invalid version id specified", {
        ArgumentName: "versionId",
        ArgumentValue: versionId,
      });
