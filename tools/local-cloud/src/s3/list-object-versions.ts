import * as Access from "./access.ts";
import type { Action, S3 } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import type { Version } from "./store.ts";
import { type Entry, commonPrefixOf, past, walk } from "./list-page.ts";
import * as Xml from "./xml.ts";
import {
  commonPrefixElements,
  ownerElements,
  readListRequest,
  requestElements,
  type Encode,
  versionElements,
} from "./list-elements.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export const listObjectVersions: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucketVersions");
  const listing = readListRequest(call);
  const { encode } = listing;
  const { name } = call.bucket;
  const keyMarker = call.query.get("key-marker") ?? "";
  const idMarker = call.query.get("version-id-marker") ?? "";
  if (idMarker && !keyMarker)
    throw new S3Error(
      "InvalidArgument",
      "A version-id marker cannot be specified without a key marker.",
    );
  const below = idMarker ? s3.store.version(name, keyMarker, idMarker)?.seq : 0;
  const skipped = idMarker
    ? undefined
    : commonPrefixOf(keyMarker, listing.prefix, listing.delimiter);
  const start =
    skipped === undefined
      ? { key: keyMarker, ...(keyMarker && { below: below ?? 0 }) }
      : past(skipped);
  const step = s3.store.nextVersion(name);
  const follow = ({ key, seq }: Version) => ({ key, below: seq });
  const page = start ? walk(listing, start, step, follow) : { entries: [] };
  return {
    body: Xml.document("ListVersionsResult", [
      ...requestElements(call, listing),
      Xml.element("KeyMarker", encode(keyMarker)),
      Xml.element("VersionIdMarker", idMarker),
      Xml.element("IsTruncated", page.next !== undefined),
      ...(page.next ? nextMarkers(page.entries.at(-1)!, encode) : []),
      ...page.entries.flatMap((entry) =>
        "version" in entry ? describeVersion(s3, entry.version, encode) : [],
      ),
      ...commonPrefixElements(page.entries, encode),
    ]),
  };
};

function describeVersion(s3: S3, version: Version, encode: Encode): Xml.Markup {
  const identity = [
    Xml.element("VersionId", version.versionId),
    Xml.element("IsLatest", version.latest),
    ...ownerElements(s3),
  ];
  if (!version.marker)
    return Xml.element("Version", [...versionElements(version, encode), ...identity]);
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
