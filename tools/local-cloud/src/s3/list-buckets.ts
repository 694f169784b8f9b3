import * as Access from "./access.ts";
import { S3Error } from "./s3-error.ts";
import type { ServiceAction } from "./types.ts";
import * as Xml from "./xml.ts";

/**
 * Returns one page of the graph's buckets, in the order of their names. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 * @throws AccessDenied without s3:ListAllMyBuckets
 * @throws InvalidArgument for a page size outside 1 to 10000 or a foreign continuation token
 */
export const listBuckets: ServiceAction = (s3, request) => {
  Access.assertAllowedOnService(s3, request, "s3:ListAllMyBuckets");
  const { query } = request;
  const { region, account } = s3.graph;
  const limit = pageSize(query.get("max-buckets"));
  const after = lastNameIn(query.get("continuation-token"));
  const prefix = query.get("prefix");
  const isInRegion = (query.get("bucket-region") ?? region) === region;
  const names = [...s3.buckets.keys()]
    .filter((name) => isInRegion && name.startsWith(prefix ?? "") && name > after)
    .toSorted();
  const page = names.slice(0, limit);
  // S3 names the region only if the request has one of these parameters
  const isFiltered = parameters.some((name) => query.has(name));
  return {
    body: Xml.document("ListAllMyBucketsResult", [
      Xml.element("Owner", [Xml.element("ID", account)]),
      Xml.element(
        "Buckets",
        page.map((name) =>
          Xml.element("Bucket", [
            Xml.element("Name", name),
            Xml.element("CreationDate", CREATION_DATE),
            ...(isFiltered ? [Xml.element("BucketRegion", region)] : []),
          ]),
        ),
      ),
      ...Xml.optional("Prefix", prefix),
      ...Xml.optional(
        "ContinuationToken",
        page.length < names.length ? Buffer.from(page.at(-1)!).toString("base64url") : undefined,
      ),
    ]),
  };
};

/** The query parameters of ListBuckets. */
export const parameters = ["max-buckets", "continuation-token", "prefix", "bucket-region"];

const MAX_BUCKETS = 10_000;

/** The resource graph does not say when a bucket was created, and `aws s3 ls` does not accept a bucket without a date. */
const CREATION_DATE = new Date(0).toISOString();

function pageSize(given: string | undefined): number {
  if (given === undefined) return MAX_BUCKETS;
  const size = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (size >= 1 && size <= MAX_BUCKETS) return size;
  throw new S3Error("InvalidArgument", `max-buckets must be an integer from 1 to ${MAX_BUCKETS}`, {
    ArgumentName: "max-buckets",
    ArgumentValue: given,
  });
}

function lastNameIn(token: string | undefined): string {
  if (token === undefined) return "";
  const name = Buffer.from(token, "base64url").toString();
  if (token && Buffer.from(name).toString("base64url") === token) return name;
  throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
    ArgumentName: "continuation-token",
  });
}
