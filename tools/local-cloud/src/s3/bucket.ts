import * as Policy from "../iam/policy.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";
import type { Versioning } from "./store.ts";

export type Bucket = {
  name: string;
  arn: string;
  versioning: Versioning;
  cors: CorsRule[];
  lifecycle: LifecycleRule[];
  policy: Policy.Statement[];
  /** Whether the policy may open the bucket to people without credentials. */
  mayBePublic: boolean;
};

export type CorsRule = {
  allowedOrigins: string[];
  allowedMethods: string[];
  allowedHeaders?: string[];
  exposeHeaders?: string[];
  maxAgeSeconds?: number;
};

export type LifecycleRule = {
  id: string;
  prefix: string;
  expireAfterDays?: number;
  expireLoneMarkers?: boolean;
  noncurrent?: { days: number; keep: number };
  abortUploadsAfterDays?: number;
};

/** The buckets of the graph; what they ask for and is not emulated is an error here and not a surprise later. */
export function fromGraph(graph: ResourceGraph): Map<string, Bucket> {
  const resources = [
    ...resourcesOf(graph, "aws:s3/bucket:Bucket"),
    ...resourcesOf(graph, "aws:s3/bucketV2:BucketV2"),
  ];
  const buckets = resources.map((resource) => read(graph, resource));
  return new Map(buckets.map((bucket) => [bucket.name, bucket]));
}

function read(graph: ResourceGraph, resource: Resource): Bucket {
  const name: string = resource.inputs.bucket ?? resource.outputs.bucket ?? resource.id;
  const arn: string = resource.outputs.arn ?? `arn:aws:s3:::${name}`;
  for (const field of inline)
    if (resource.inputs[field] !== undefined)
      throw new Error(
        `${name}: "${field}" on the bucket itself is not emulated; use the resource of its own`,
      );
  const about = (kind: string) =>
    [
      ...resourcesOf(graph, `aws:s3/${lowerFirst(kind)}:${kind}`),
      ...resourcesOf(graph, `aws:s3/${lowerFirst(kind)}V2:${kind}V2`),
    ].find(({ inputs }) => [name, resource.id, arn].includes(inputs.bucket))?.inputs;
  const access = about("BucketPublicAccessBlock");
  return {
    name,
    arn,
    versioning: versioningOf(about("BucketVersioning")?.versioningConfiguration?.status),
    cors: about("BucketCorsConfiguration")?.corsRules ?? [],
    lifecycle: (about("BucketLifecycleConfiguration")?.rules ?? [])
      .filter((rule: { status: string }) => rule.status === "Enabled")
      .map((rule: Resource["inputs"]) => lifecycleRule(name, rule)),
    policy: Policy.parse(
      about("BucketPolicy")?.policy ?? { Statement: [] },
      `the policy of ${name}`,
    ),
    // a bucket without the resource is closed: AWS's default since April 2023,
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    mayBePublic: access !== undefined && !access.blockPublicPolicy && !access.restrictPublicBuckets,
  };
}

const inline = [
  "corsRules",
  "lifecycleRules",
  "policy",
  "versioning",
  "website",
  "replicationConfiguration",
  "logging",
];

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

const versioningOf = (status: unknown): Versioning =>
  status === "Enabled" || status === "Suspended" ? status : undefined;

function lifecycleRule(bucket: string, rule: Resource["inputs"]): LifecycleRule {
  const { prefix, and, ...otherFilters } = rule.filter ?? {};
  const { prefix: andPrefix, ...otherAnd } = and ?? {};
  const { date, days, expiredObjectDeleteMarker } = rule.expiration ?? {};
  const unknown = {
    ...otherFilters,
    ...otherAnd,
    ...(date && { date }),
    transitions: rule.transitions,
    noncurrentVersionTransitions: rule.noncurrentVersionTransitions,
  };
  const asked = Object.entries(unknown).find(
    ([, value]) => value !== undefined && [value].flat().length > 0,
  );
  if (asked)
    throw new Error(`${bucket}: "${asked[0]}" of the lifecycle rule ${rule.id} is not emulated`);
  const old = rule.noncurrentVersionExpiration;
  const abort = rule.abortIncompleteMultipartUpload?.daysAfterInitiation;
  return {
    id: rule.id,
    prefix: prefix ?? andPrefix ?? rule.prefix ?? "",
    ...(days && { expireAfterDays: days }),
    ...(expiredObjectDeleteMarker && { expireLoneMarkers: true }),
    ...(old && {
      noncurrent: { days: old.noncurrentDays, keep: old.newerNoncurrentVersions ?? 0 },
    }),
    ...(abort && { abortUploadsAfterDays: abort }),
  };
}
