import type { Call, S3 } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import type { Version } from "./store.ts";
import { type Entry } from "./list-page.ts";
import * as Xml from "./xml.ts";

export type Encode = (text: string) => string;

/** The query parameters that all listings of objects share. */
export function readListRequest({ query }: Call) {
  const maximum = query.get("max-keys") ?? "1000";
  if (!/^\d{1,9}$/.test(maximum))
    throw new S3Error(
      "InvalidArgument",
      "Provided max-keys not an integer or within integer range",
      {
        ArgumentName: "max-keys",
        ArgumentValue: maximum,
      },
    );
  const encoding = query.get("encoding-type");
  if (encoding !== undefined && encoding !== "url")
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  const encode: Encode = encoding
    ? (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%20", "+")
    : (text) => text;
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") || undefined,
    limit: Math.min(Number(maximum), MAX_ENTRIES),
    encoding,
    encode,
  };
}

const MAX_ENTRIES = 1000;

/** The elements that repeat the request. */
export const requestElements = (
  call: Call,
  { prefix, delimiter, limit, encoding, encode }: ReturnType<typeof readListRequest>,
) => [
  Xml.element("Name", call.bucket.name),
  Xml.element("Prefix", encode(prefix)),
  ...Xml.optional("Delimiter", delimiter && encode(delimiter)),
  Xml.element("MaxKeys", limit),
  ...Xml.optional("EncodingType", encoding),
];

export const versionElements = (version: Version, encode: Encode) => [
  Xml.element("Key", encode(version.key)),
  Xml.element("LastModified", new Date(version.modified).toISOString()),
  Xml.element("ETag", `"${version.etag}"`),
  ...(version.checksum
    ? [
        Xml.element("ChecksumAlgorithm", version.checksum.algorithm.toUpperCase()),
        Xml.element("ChecksumType", version.checksum.type),
      ]
    : []),
  Xml.element("Size", version.size),
  Xml.element("StorageClass", "STANDARD"),
];

export const commonPrefixElements = (entries: Entry[], encode: Encode) =>
  entries.flatMap((entry) =>
    "commonPrefix" in entry
      ? Xml.element("CommonPrefixes", [Xml.element("Prefix", encode(entry.commonPrefix))])
      : [],
  );

export const ownerElements = ({ graph }: S3) => [
  Xml.element("Owner", [Xml.element("ID", graph.account)]),
];

/** The number of entries in a page: as requested, at most 1000. */
export const pageSizeOf = (requested: string | undefined) =>
  Math.min(Number(requested ?? 1000) || 1000, 1000);
