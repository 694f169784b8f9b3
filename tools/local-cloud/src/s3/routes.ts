import { changeRefusal } from "../graph/change-refusal.ts";
import type { Action, Call } from "./types.ts";
import { S3Error, notImplemented } from "./s3-error.ts";
import * as ListBuckets from "./list-buckets.ts";
import * as PostObject from "./post-object.ts";
import { getObject, headObject } from "./get-object.ts";
import { putObject } from "./put-object.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject } from "./delete-object.ts";
import { deleteObjects } from "./delete-objects.ts";
import { createMultipartUpload } from "./create-multipart-upload.ts";
import { abortMultipartUpload } from "./abort-multipart-upload.ts";
import { completeMultipartUpload } from "./complete-multipart-upload.ts";
import { uploadPart } from "./upload-part.ts";
import { listObjects } from "./list-objects.ts";
import { listObjectsV2 } from "./list-objects-v2.ts";
import { listObjectVersions } from "./list-object-versions.ts";
import { listParts } from "./list-parts.ts";
import { listMultipartUploads } from "./list-multipart-uploads.ts";
import { headBucket } from "./head-bucket.ts";
import { getBucketLocation } from "./get-bucket-location.ts";

type Route = {
  method: string;
  on: "bucket" | "object";
  /** Query parameters that the action requires. */
  needs?: string[];
  /** Optional query parameters; any other parameter makes the request a different action. */
  takes?: string[];
  /** A header that the action requires. */
  header?: string;
  /** The name that AWS gives the action. */
  operation: string;
  action: Action;
};

const listing = ["prefix", "delimiter", "max-keys", "encoding-type"];
const overrides = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
].map((name) => `response-${name}`);
const reading = ["versionId", ...overrides];
const uploads = ["prefix", "key-marker", "upload-id-marker", "max-uploads"];

/** The emulated actions. A request that matches none is answered 501. */
const routes: Route[] = [
  { method: "HEAD", on: "bucket", operation: "HeadBucket", action: headBucket },
  {
    method: "GET",
    on: "bucket",
    needs: ["location"],
    operation: "GetBucketLocation",
    action: getBucketLocation,
  },
  {
    method: "GET",
    on: "bucket",
    needs: ["list-type"],
    takes: [...listing, "continuation-token", "start-after", "fetch-owner"],
    operation: "ListObjectsV2",
    action: listObjectsV2,
  },
  {
    method: "GET",
    on: "bucket",
    takes: [...listing, "marker"],
    operation: "ListObjects",
    action: listObjects,
  },
  {
    method: "GET",
    on: "bucket",
    needs: ["versions"],
    takes: [...listing, "key-marker", "version-id-marker"],
    operation: "ListObjectVersions",
    action: listObjectVersions,
  },
  {
    method: "GET",
    on: "bucket",
    needs: ["uploads"],
    takes: uploads,
    operation: "ListMultipartUploads",
    action: listMultipartUploads,
  },
  {
    method: "POST",
    on: "bucket",
    needs: ["delete"],
    operation: "DeleteObjects",
    action: deleteObjects,
  },
  { method: "POST", on: "bucket", operation: "PostObject", action: PostObject.postObject },
  { method: "GET", on: "object", takes: reading, operation: "GetObject", action: getObject },
  { method: "HEAD", on: "object", takes: reading, operation: "HeadObject", action: headObject },
  {
    method: "PUT",
    on: "object",
    header: "x-amz-copy-source",
    operation: "CopyObject",
    action: copyObject,
  },
  { method: "PUT", on: "object", operation: "PutObject", action: putObject },
  {
    method: "DELETE",
    on: "object",
    takes: ["versionId"],
    operation: "DeleteObject",
    action: deleteObject,
  },
  {
    method: "POST",
    on: "object",
    needs: ["uploads"],
    operation: "CreateMultipartUpload",
    action: createMultipartUpload,
  },
  {
    method: "PUT",
    on: "object",
    needs: ["partNumber", "uploadId"],
    operation: "UploadPart",
    action: uploadPart,
  },
  {
    method: "GET",
    on: "object",
    needs: ["uploadId"],
    takes: ["max-parts", "part-number-marker"],
    operation: "ListParts",
    action: listParts,
  },
  {
    method: "POST",
    on: "object",
    needs: ["uploadId"],
    operation: "CompleteMultipartUpload",
    action: completeMultipartUpload,
  },
  {
    method: "DELETE",
    on: "object",
    needs: ["uploadId"],
    operation: "AbortMultipartUpload",
    action: abortMultipartUpload,
  },
];

/** Returns the only action on the service that is emulated: GET without a bucket is ListBuckets. */
export function findOnService({ method, query }: Pick<Call, "method" | "query">) {
  const names = namesIn(query);
  if (method === "GET" && names.every((name) => ListBuckets.parameters.includes(name)))
    return { operation: "ListBuckets", action: ListBuckets.listBuckets };
  throw notImplemented(`${method} on the service`);
}

/**
 * Refuses CreateBucket and DeleteBucket, also for a bucket that does not exist.
 * @throws NotImplemented
 */
export function refuseBucketChange({
  method,
  key,
  query,
}: Pick<Call, "method" | "key" | "query">): void {
  if (key || namesIn(query).length > 0 || !["PUT", "DELETE"].includes(method)) return;
  const operation = method === "PUT" ? "CreateBucket" : "DeleteBucket";
  throw new S3Error("NotImplemented", changeRefusal(operation, "buckets"));
}

/** The query parameters that select the action, without those of the signature and the SDK's `x-id`. */
const namesIn = (query: Call["query"]) =>
  [...query.keys()].filter((name) => !/^x-(amz-|id$)/i.test(name));

export function find(call: Pick<Call, "method" | "key" | "query" | "headers">): Route {
  const names = namesIn(call.query);
  const route = routes.find(({ method, on, needs = [], takes = [], header }) => {
    const isHere = method === call.method && (on === "object") === (call.key !== "");
    // a request with a copy source matches only the copy, so that a PutObject does not store its empty body
    const isAsked = header
      ? call.headers[header] !== undefined
      : call.headers["x-amz-copy-source"] === undefined;
    const fits = needs.every((name) => names.includes(name));
    return (
      isHere &&
      isAsked &&
      fits &&
      names.every((name) => needs.includes(name) || takes.includes(name))
    );
  });
  if (route) return route;
  throw notImplemented(`${call.method} ${names.join("&") || "without a subresource"}`);
}
