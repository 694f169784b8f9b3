import * as Access from "./access.ts";
import type { Action, Answer, Call, S3 } from "./types.ts";
import * as Preconditions from "./preconditions.ts";
import { S3Error } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import type { Version } from "./store.ts";
import { findVersion } from "./find-version.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const getObject: Action = (s3, call) => {
  const { version, answer, range } = readObject(s3, call);
  if (!version || version.size === 0) return answer;
  const segments = s3.store.segments(version);
  const { start, end } = range ?? { start: 0, end: version.size - 1 };
  const close = s3.blobs.hold(segments);
  return { ...answer, body: s3.blobs.read(segments, start, end), close };
};

export const headObject: Action = (s3, call) => readObject(s3, call).answer;

function readObject(
  s3: S3,
  call: Call,
): { version?: Version; answer: Answer; range?: Preconditions.Range | undefined } {
  Access.assertAllowed(
    s3,
    call,
    call.query.has("versionId") ? "s3:GetObjectVersion" : "s3:GetObject",
  );
  const overrides = overridesOf(call);
  const version = findVersion(s3, call);
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
