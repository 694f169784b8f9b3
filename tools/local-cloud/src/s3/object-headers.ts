import type { Call } from "./types.ts";
import { S3Error, notImplemented } from "./s3-error.ts";
import type { Version } from "./store.ts";

/** The headers that a write may set. A header with an effect in S3 that is not emulated is refused. */
export function fromHeaders(headers: Call["headers"]): Record<string, string> {
  refuseUnsupported(headers);
  const kept: Record<string, string> = {
    "content-type": headerValue(headers["content-type"] ?? "binary/octet-stream"),
  };
  for (const name of standard)
    if (headers[name] !== undefined) kept[name] = headerValue(headers[name]);
  const encodings = headers["content-encoding"]?.split(",").map((one) => one.trim());
  const encoding = encodings?.filter((one) => one && one !== "aws-chunked").join(",");
  if (encoding) kept["content-encoding"] = headerValue(encoding);
  let size = 0;
  for (const [name, value = ""] of Object.entries(headers)) {
    if (!name.startsWith("x-amz-meta-")) continue;
    kept[headerValue(name)] = headerValue(value);
    size += Buffer.byteLength(name.slice("x-amz-meta-".length)) + Buffer.byteLength(value);
  }
  if (size > MAX_METADATA_BYTES)
    throw new S3Error(
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
      {
        Size: String(size),
        MaxSizeAllowed: String(MAX_METADATA_BYTES),
      },
    );
  return kept;
}

/** The value as it can be sent in a later response header, byte by byte; a form field may contain any character. */
export function headerValue(value: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
    throw new S3Error("InvalidArgument", "Header values may not hold control characters.");
  // oxlint-disable-next-line no-control-regex
  return /[^\u0000-\u00ff]/.test(value) ? Buffer.from(value).toString("latin1") : value;
}

/** The headers of every response about a version. */
export const describe = (call: Call, version: Version): Record<string, string | undefined> => ({
  etag: `"${version.etag}"`,
  "last-modified": new Date(version.modified).toUTCString(),
  ...encryption,
  ...versionId(call, version),
});

export const versionId = (
  { bucket }: Pick<Call, "bucket">,
  version: Version,
): Record<string, string> => (bucket.versioning ? { "x-amz-version-id": version.versionId } : {});

/** Every object is encrypted so since January 2023. https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html */
export const encryption = { "x-amz-server-side-encryption": "AES256" };

export const checksumHeaders = ({ checksum }: Pick<Version, "checksum">): Record<string, string> =>
  checksum
    ? {
        [`x-amz-checksum-${checksum.algorithm}`]: checksum.value,
        "x-amz-checksum-type": checksum.type,
      }
    : {};

const standard = ["cache-control", "content-disposition", "content-language", "expires"];

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_METADATA_BYTES = 2048;

function refuseUnsupported(headers: Call["headers"]): void {
  const grants = Object.keys(headers).find((name) => name.startsWith("x-amz-grant-"));
  const acl = headers["x-amz-acl"];
  // a bucket with enforced ownership, AWS's default, accepts only this ACL
  if (grants || (acl !== undefined && acl !== "bucket-owner-full-control"))
    throw new S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs");
  for (const [name, accepted] of Object.entries(supported)) {
    const value = headers[name];
    if (value !== undefined && value !== accepted) throw notImplemented(`${name}: ${value}`);
  }
  const unknown = Object.keys(headers).find((name) =>
    unsupported.some((prefix) => name.startsWith(prefix)),
  );
  if (unknown) throw notImplemented(unknown);
}

const supported = { "x-amz-server-side-encryption": "AES256", "x-amz-storage-class": "STANDARD" };

const unsupported = [
  "x-amz-object-lock-",
  "x-amz-server-side-encryption-",
  "x-amz-tagging",
  "x-amz-website-redirect-location",
  "x-amz-write-offset-bytes",
  "x-amz-copy-source-server-side-encryption-",
];
