import * as Access from "./access.ts";
import type { Action, Call, S3 } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import type { Version } from "./store.ts";
import { type Entry, commonPrefixOf, past, walk } from "./list-page.ts";
import * as Xml from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const objects: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucket");
  const asked = read(call);
  const { encode } = asked;
  const token = call.query.get("continuation-token");
  const after = call.query.get("start-after");
  const start = token === undefined ? (after ? `${after}\0` : "") : decodeToken(token);
  const step = s3.store.nextObject(call.bucket.name);
  const page = walk(asked, { key: start }, step, ({ key }) => ({ key: `${key}\0` }));
  const withOwner = call.query.get("fetch-owner") === "true";
  return {
    body: Xml.document("ListBucketResult", [
      ...scopeOf(call, asked),
      Xml.element("KeyCount", page.entries.length),
      ...Xml.optional("ContinuationToken", token),
      ...Xml.optional("StartAfter", after && encode(after)),
      Xml.element("IsTruncated", page.next !== undefined),
      ...Xml.optional("NextContinuationToken", page.next && encodeToken(page.next.key)),
      ...page.entries.flatMap((entry) =>
        "version" in entry
          ? Xml.element("Contents", [
              ...describe(entry.version, encode),
              ...(withOwner ? owner(s3) : []),
            ])
          : [],
      ),
      ...commonPrefixes(page.entries, encode),
    ]),
  };
};

/**
 * Version 1 of the listing: a page starts after a key instead of a token, and each object has its owner.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 */
export const objectsByMarker: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucket");
  const asked = read(call);
  const { encode } = asked;
  const marker = call.query.get("marker") ?? "";
  const skipped = commonPrefixOf(marker, asked.prefix, asked.delimiter);
  const start = skipped === undefined ? { key: marker && `${marker}\0` } : past(skipped);
  const step = s3.store.nextObject(call.bucket.name);
  const follow = ({ key }: Version) => ({ key: `${key}\0` });
  const page = start ? walk(asked, start, step, follow) : { entries: [] };
  const last = page.entries.at(-1);
  // without a delimiter S3 leaves NextMarker out: the client continues after the last key
  const hasNextMarker = last && page.next && asked.delimiter;
  return {
    body: Xml.document("ListBucketResult", [
      ...scopeOf(call, asked),
      Xml.element("Marker", encode(marker)),
      Xml.element("IsTruncated", page.next !== undefined),
      ...(hasNextMarker
        ? [
            Xml.element(
              "NextMarker",
              encode("version" in last ? last.version.key : last.commonPrefix),
            ),
          ]
        : []),
      ...page.entries.flatMap((entry) =>
        "version" in entry
          ? Xml.element("Contents", [...describe(entry.version, encode), ...owner(s3)])
          : [],
      ),
      ...commonPrefixes(page.entries, encode),
    ]),
  };
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export const versions: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucketVersions");
  const asked = read(call);
  const { encode } = asked;
  const { name } = call.bucket;
  const keyMarker = call.query.get("key-marker") ?? "";
  const idMarker = call.query.get("version-id-marker") ?? "";
  if (idMarker && !keyMarker)
    throw new S3Error(
      "InvalidArgument",
      "A version-id marker cannot be specified without a key marker.",
    );
  const below = idMarker ? s3.store.version(name, keyMarker, idMarker)?.seq : 0;
  const skipped = idMarker ? undefined : commonPrefixOf(keyMarker, asked.prefix, asked.delimiter);
  const start =
    skipped === undefined
      ? { key: keyMarker, ...(keyMarker && { below: below ?? 0 }) }
      : past(skipped);
  const step = s3.store.nextVersion(name);
  const follow = ({ key, seq }: Version) => ({ key, below: seq });
  const page = start ? walk(asked, start, step, follow) : { entries: [] };
  return {
    body: Xml.document("ListVersionsResult", [
      ...scopeOf(call, asked),
      Xml.element("KeyMarker", encode(keyMarker)),
      Xml.element("VersionIdMarker", idMarker),
      Xml.element("IsTruncated", page.next !== undefined),
      ...(page.next ? nextMarkers(page.entries.at(-1)!, encode) : []),
      ...page.entries.flatMap((entry) =>
        "version" in entry ? describeVersion(s3, entry.version, encode) : [],
      ),
      ...commonPrefixes(page.entries, encode),
    ]),
  };
};

type Encode = (text: string) => string;

function read({ query }: Call) {
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

const scopeOf = (
  call: Call,
  { prefix, delimiter, limit, encoding, encode }: ReturnType<typeof read>,
) => [
  Xml.element("Name", call.bucket.name),
  Xml.element("Prefix", encode(prefix)),
  ...Xml.optional("Delimiter", delimiter && encode(delimiter)),
  Xml.element("MaxKeys", limit),
  ...Xml.optional("EncodingType", encoding),
];

const describe = (version: Version, encode: Encode) => [
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

function describeVersion(s3: S3, version: Version, encode: Encode): Xml.Markup {
  const identity = [
    Xml.element("VersionId", version.versionId),
    Xml.element("IsLatest", version.latest),
    ...owner(s3),
  ];
  if (!version.marker) return Xml.element("Version", [...describe(version, encode), ...identity]);
  const modified = Xml.element("LastModified", new Date(version.modified).toISOString());
  return Xml.element("DeleteMarker", [
    Xml.element("Key", encode(version.key)),
    modified,
    ...identity,
  ]);
}

const nextMarkers = (last: Entry, encode: Encode) =>
  "version" in last
    ? [
        Xml.element("NextKeyMarker", encode(last.version.key)),
        Xml.element("NextVersionIdMarker", last.version.versionId),
      ]
    : [Xml.element("NextKeyMarker", encode(last.commonPrefix))];

const commonPrefixes = (entries: Entry[], encode: Encode) =>
  entries.flatMap((entry) =>
    "commonPrefix" in entry
      ? Xml.element("CommonPrefixes", [Xml.element("Prefix", encode(entry.commonPrefix))])
      : [],
  );

const owner = ({ graph }: S3) => [Xml.element("Owner", [Xml.element("ID", graph.account)])];

const encodeToken = (key: string) => Buffer.from(key).toString("base64url");

function decodeToken(token: string): string {
  const key = Buffer.from(token, "base64url").toString();
  if (!token || encodeToken(key) !== token)
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
      ArgumentName: "continuation-token",
    });
  return key;
}
