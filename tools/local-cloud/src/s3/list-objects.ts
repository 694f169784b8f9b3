import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import type { Version } from "./store.ts";
import { commonPrefixOf, past, walk } from "./list-page.ts";
import * as Xml from "./xml.ts";
import {
  commonPrefixElements,
  ownerElements,
  readListRequest,
  requestElements,
  versionElements,
} from "./list-elements.ts";

/**
 * Version 1 of the listing: a page starts after a key instead of a token, and each object has its owner.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 */
export const listObjects: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucket");
  const listing = readListRequest(call);
  const { encode } = listing;
  const marker = call.query.get("marker") ?? "";
  const skipped = commonPrefixOf(marker, listing.prefix, listing.delimiter);
  const start = skipped === undefined ? { key: marker && `${marker}\0` } : past(skipped);
  const step = s3.store.nextObject(call.bucket.name);
  const follow = ({ key }: Version) => ({ key: `${key}\0` });
  const page = start ? walk(listing, start, step, follow) : { entries: [] };
  const last = page.entries.at(-1);
  // without a delimiter S3 leaves NextMarker out: the client continues after the last key
  const hasNextMarker = last && page.next && listing.delimiter;
  return {
    body: Xml.document("ListBucketResult", [
      ...requestElements(call, listing),
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
          ? Xml.element("Contents", [
              ...versionElements(entry.version, encode),
              ...ownerElements(s3),
            ])
          : [],
      ),
      ...commonPrefixElements(page.entries, encode),
    ]),
  };
};
