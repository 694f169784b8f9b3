import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import { walk } from "./list-page.ts";
import * as Xml from "./xml.ts";
import {
  commonPrefixElements,
  ownerElements,
  readListRequest,
  requestElements,
  versionElements,
} from "./list-elements.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const listObjectsV2: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucket");
  const listing = readListRequest(call);
  const { encode } = listing;
  const token = call.query.get("continuation-token");
  const after = call.query.get("start-after");
  const start = token === undefined ? (after ? `${after}\0` : "") : decodeToken(token);
  const step = s3.store.nextObject(call.bucket.name);
  const page = walk(listing, { key: start }, step, ({ key }) => ({ key: `${key}\0` }));
  const withOwner = call.query.get("fetch-owner") === "true";
  return {
    body: Xml.document("ListBucketResult", [
      ...requestElements(call, listing),
      Xml.element("KeyCount", page.entries.length),
      ...Xml.optional("ContinuationToken", token),
      ...Xml.optional("StartAfter", after && encode(after)),
      Xml.element("IsTruncated", page.next !== undefined),
      ...Xml.optional("NextContinuationToken", page.next && encodeToken(page.next.key)),
      ...page.entries.flatMap((entry) =>
        "version" in entry
          ? Xml.element("Contents", [
              ...versionElements(entry.version, encode),
              ...(withOwner ? ownerElements(s3) : []),
            ])
          : [],
      ),
      ...commonPrefixElements(page.entries, encode),
    ]),
  };
};

const encodeToken = (key: string) => Buffer.from(key).toString("base64url");

function decodeToken(token: string): string {
  const key = Buffer.from(token, "base64url").toString();
  if (!token || encodeToken(key) !== token)
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
      ArgumentName: "continuation-token",
    });
  return key;
}
