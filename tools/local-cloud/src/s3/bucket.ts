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
  /** Whether the bucket policy may allow anonymous requests. */
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

/** Returns the buckets of the graph by name. */
export function fromGraph(graph: ResourceGraph): Map<string, Bucket> {
  const buckets = resourcesOf(graph, "aws:s3/bucket:Bucket").map((bucket) => read(graph, bucket));
  return new Map(buckets.map((bucket) => [bucket.name, bucket]));
}

function read(graph: ResourceGraph, resource: Resource<"aws:s3/bucket:Bucket">): Bucket {
  const name = resource.inputs.bucket ?? resource.outputs.bucket ?? resource.id;
  const arn = resource.outputs.arn ?? `arn:aws:s3:::${name}`;
  const settingsOf = <Type extends SettingsType>(type: Type) =>
    resourcesOf(graph, type).find(({ inputs }) => [name, resource.id, arn].includes(inputs.bucket))
      ?.inputs;
  const access = settingsOf("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock");
  const versioning = settingsOf("aws:s3/bucketVersioning:BucketVersioning");
  const cors = settingsOf("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration");
  const lifecycle = settingsOf("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration");
  const policy = settingsOf("aws:s3/bucketPolicy:BucketPolicy")?.policy;
  return {
    name,
    arn,
    versioning: versioningOf(versioning?.versioningConfiguration.status),
    cors: cors?.corsRules ?? [],
    lifecycle: (lifecycle?.rules ?? [])
      .filter(({ status }) => status === "Enabled")
      .map(lifecycleRule),
    policy: Policy.parse(policy ?? { Statement: [] }, `the policy of ${name}`),
    // without the resource public access is blocked, AWS's default since April 2023:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    mayBePublic: access !== undefined && !access.blockPublicPolicy && !access.restrictPublicBuckets,
  };
}

/** The settings of a bucket that are separate resources in the graph. */
type SettingsType =
  | "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
  | "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
  | "aws:s3/bucketPolicy:BucketPolicy"
  | "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
  | "aws:s3/bucketVersioning:BucketVersioning";

const versioningOf = (status: unknown): Versioning =>
  status === "Enabled" || status === "Suspended" ? status : undefined;

type RuleInGraph = NonNullable<
  Resource<"aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration">["inputs"]["rules"]
>[number];

function lifecycleRule(rule: RuleInGraph): LifecycleRule {
  const { days, expiredObjectDeleteMarker } = rule.expiration ?? {};
  const old = rule.noncurrentVersionExpiration;
  const abort = rule.abortIncompleteMultipartUpload?.daysAfterInitiation;
  return {
    id: rule.id,
    prefix: rule.filter?.prefix ?? rule.filter?.and?.prefix ?? rule.prefix ?? "",
    ...(days && { expireAfterDays: days }),
    ...(expiredObjectDeleteMarker && { expireLoneMarkers: true }),
    ...(old && {
      noncurrent: { days: old.noncurrentDays, keep: old.newerNoncurrentVersions ?? 0 },
    }),
    ...(abort && { abortUploadsAfterDays: abort }),
  };
}
