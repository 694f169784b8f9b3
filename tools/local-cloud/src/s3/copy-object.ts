import * as Access from "./access.ts";
import type { Action, Answer, Call, S3 } from "./types.ts";
import * as Preconditions from "./preconditions.ts";
import { S3Error } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import * as Xml from "./xml.ts";
import { findVersion } from "./find-version.ts";
import { assertWriteAllowed, checksumElements, commitObject } from "./commit-object.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const copyObject: Action = (s3, call): Answer => {
  assertWriteAllowed(s3, call);
  const source = sourceOf(s3, call);
  const { version } = source;
  const directive = call.headers["x-amz-metadata-directive"] ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE")
    throw new S3Error("InvalidArgument", "Unknown metadata directive.");
  const isItself = source.bucket === call.bucket && version.key === call.key && version.latest;
  if (isItself && directive === "COPY")
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  const newHeaders = ObjectHeaders.fromHeaders(call.headers);
  const { size, etag, checksum } = version;
  const draft = {
    size,
    etag,
    checksum,
    headers: directive === "COPY" ? version.headers : newHeaders,
  };
  const segments = s3.store.segments(version);
  const made = commitObject(s3, call, { ...draft, segments }, "ObjectCreated:Copy");
  const { bucket } = source;
  return {
    headers: {
      ...ObjectHeaders.encryption,
      ...ObjectHeaders.versionId(call, made),
      ...(bucket.versioning && { "x-amz-copy-source-version-id": version.versionId }),
    },
    body: Xml.document("CopyObjectResult", [
      Xml.element("LastModified", new Date(made.modified).toISOString()),
      Xml.element("ETag", `"${made.etag}"`),
      ...checksumElements(made),
    ]),
  };
};

function sourceOf(s3: S3, call: Call) {
  const [path = "", search = ""] = call.headers["x-amz-copy-source"]!.split("?", 2);
  const [, name, key] = /^\/?([^/]+)\/(.+)$/s.exec(decode(path)) ?? [];
  const bucket = s3.buckets.get(name ?? "");
  if (!name || !key)
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  if (!bucket)
    throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
  const versionId = new URLSearchParams(search).get("versionId");
  const sourceCall = {
    ...call,
    bucket,
    key,
    query: new Map(versionId ? [["versionId", versionId]] : []),
  };
  Access.assertAllowed(s3, sourceCall, versionId ? "s3:GetObjectVersion" : "s3:GetObject");
  const version = findVersion(s3, sourceCall);
  Preconditions.demandSource(call.headers, version);
  return { bucket, version };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new S3Error("InvalidArgument", "Invalid copy source encoding.");
  }
}
