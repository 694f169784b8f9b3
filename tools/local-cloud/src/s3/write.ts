import * as Access from "./access.ts";
import type { Received } from "./blob-files.ts";
import * as Payload from "./payload.ts";
import type { Action, Answer, Call, EventName, S3 } from "./types.ts";
import * as Preconditions from "./preconditions.ts";
import * as ObjectEvents from "./object-events.ts";
import { S3Error } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import * as Read from "./read.ts";
import type { Draft, Version } from "./store.ts";
import * as Xml from "./xml.ts";

export const put: Action = async (s3, call) => {
  demandWrite(s3, call);
  const headers = ObjectHeaders.fromHeaders(call.headers);
  const { source, claim } = Payload.open(call);
  const received = await Payload.receive(s3, source, claim);
  const version = commit(s3, call, draftOf(received, headers), "ObjectCreated:Put");
  return { headers: written(call, version) };
};

export const copy: Action = (s3, call): Answer => {
  demandWrite(s3, call);
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
  const asked = ObjectHeaders.fromHeaders(call.headers);
  const { size, etag, checksum } = version;
  const draft = { size, etag, checksum, headers: directive === "COPY" ? version.headers : asked };
  const segments = s3.store.segments(version);
  const made = commit(s3, call, { ...draft, segments }, "ObjectCreated:Copy");
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

/** Stores the object, its version and its event in one commit; discards the bytes if a precondition fails. */
export function commit(
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

export const draftOf = (received: Received, headers: Record<string, string>): Draft => ({
  segments: [received],
  size: received.size,
  etag: received.md5,
  headers,
  checksum: received.checksum && { ...received.checksum, type: "FULL_OBJECT" },
});

export const written = (call: Call, version: Version) => ({
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
export function demandWrite(s3: S3, call: Call): void {
  Access.assertAllowed(s3, call, "s3:PutObject");
  if (call.headers["if-match"] !== undefined) Access.assertAllowed(s3, call, "s3:GetObject");
}

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
  const asked = {
    ...call,
    bucket,
    key,
    query: new Map(versionId ? [["versionId", versionId]] : []),
  };
  Access.assertAllowed(s3, asked, versionId ? "s3:GetObjectVersion" : "s3:GetObject");
  const version = Read.find(s3, asked);
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
