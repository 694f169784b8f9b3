import * as Access from "./access.ts";
import type { Action, Answer, Call, S3 } from "./types.ts";
import * as Preconditions from "./preconditions.ts";
import { S3Error, noSuchKey } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import type { Version } from "./store.ts";

export const get: Action = (s3, call) => {
  const { version, answer, range } = look(s3, call);
  if (!version || version.size === 0) return answer;
  const segments = s3.store.segments(version);
  const { start, end } = range ?? { start: 0, end: version.size - 1 };
  const close = s3.blobs.hold(segments);
  return { ...answer, body: s3.blobs.read(segments, start, end), close };
};

export const head: Action = (s3, call) => look(s3, call).answer;

/** The version that the request names, or the newest one. */
export function find(s3: S3, call: Call): Version {
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

function look(
  s3: S3,
  call: Call,
): { version?: Version; answer: Answer; range?: Preconditions.Range | undefined } {
  Access.assertAllowed(
    s3,
    call,
    call.query.has("versionId") ? "s3:GetObjectVersion" : "s3:GetObject",
  );
  const overrides = overridesOf(call);
  const version = find(s3, call);
  const identity = ObjectHeaders.describe(call, version);
  if (Preconditions.isUnmodified(call.headers, version)) {
    const { "cache-control": caching, expires } = version.headers;
    return { answer: { status: 304, headers: { ...identity, "cache-control": caching, expires } } };
  }
  const range = Preconditions.rangeOf(call.headers["range"], version.size);
  const length = range ? range.end - range.start + 1 : version.size;
  // the checksum is that of the whole object, so it is left out for a part
  const wantsChecksum = call.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED" && !range;
  const headers = {
    ...version.headers,
    ...identity,
    ...overrides,
    ...(wantsChecksum && ObjectHeaders.checksumHeaders(version)),
    ...(range && { "content-range": `bytes ${range.start}-${range.end}/${version.size}` }),
    "accept-ranges": "bytes",
    "content-length": String(length),
  };
  return { version, range, answer: { status: range ? 206 : 200, headers } };
}

/** Headers that the query overrides, such as `response-content-type`; anonymous requests may not override them. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
function overridesOf({ query, caller }: Call): Record<string, string> {
  const overrides = [...query].filter(([name]) => name.startsWith("response-"));
  if (overrides.length > 0 && caller.how === "anonymous")
    throw new S3Error(
      "InvalidRequest",
      "Request specific response headers cannot be used for anonymous GET requests.",
    );
  return Object.fromEntries(
    overrides.map(([name, value]) => [
      name.slice("response-".length),
      ObjectHeaders.headerValue(value),
    ]),
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
