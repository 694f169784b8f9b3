import * as z from "zod/mini";

import {
  ignored,
  object,
  only,
  optionalBoolean,
  optionalNumber,
  optionalString,
  optionalStrings,
  policyDocument,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const ACCOUNT_CHECK = "a check against buckets of other accounts, of which a laptop has none";
const NO_ACL = "access control lists are not emulated; the owner of the bucket owns every object";

/** Settings that AWS also accepts on the bucket itself are emulated as resources of their own. */
export const s3 = {
  "aws:s3/bucket:Bucket": resourceType(
    {
      bucket: optionalString,
      bucketPrefix: ignored("the graph holds the bucket's whole name"),
      forceDestroy: ignored("about the removal of a deployment"),
      serverSideEncryptionConfiguration: ignored("objects are not encrypted on this disk"),
    },
    { arn: optionalString, bucket: optionalString },
  ),
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": resourceType(
    {
      bucket: z.string(),
      corsRules: z.array(
        object({
          allowedOrigins: z.array(z.string()),
          allowedMethods: z.array(z.string()),
          allowedHeaders: optionalStrings,
          exposeHeaders: optionalStrings,
          id: ignored("a name for people"),
          maxAgeSeconds: optionalNumber,
        }),
      ),
      expectedBucketOwner: ignored(ACCOUNT_CHECK),
    },
    {},
  ),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": resourceType(
    {
      bucket: z.string(),
      rules: z.optional(
        z.array(
          object({
            id: z.string(),
            status: requiredOneOf("Enabled", "Disabled"),
            prefix: optionalString,
            filter: z.optional(
              object({
                prefix: optionalString,
                and: z.optional(object({ prefix: optionalString })),
              }),
            ),
            expiration: z.optional(
              object({ days: optionalNumber, expiredObjectDeleteMarker: optionalBoolean }),
            ),
            noncurrentVersionExpiration: z.optional(
              object({ noncurrentDays: z.number(), newerNoncurrentVersions: optionalNumber }),
            ),
            abortIncompleteMultipartUpload: z.optional(
              object({ daysAfterInitiation: optionalNumber }),
            ),
          }),
        ),
      ),
      expectedBucketOwner: ignored(ACCOUNT_CHECK),
      timeouts: ignored("how long Pulumi waits"),
      transitionDefaultMinimumObjectSize: ignored("there are no other storage classes here"),
    },
    {},
  ),
  "aws:s3/bucketNotification:BucketNotification": resourceType(
    {
      bucket: z.string(),
      queues: z.optional(
        z.array(
          object({
            id: optionalString,
            queueArn: z.string(),
            events: z.array(z.string()),
            filterPrefix: optionalString,
            filterSuffix: optionalString,
          }),
        ),
      ),
      lambdaFunctions: z.optional(
        z.array(
          object({
            id: optionalString,
            lambdaFunctionArn: z.string(),
            events: z.array(z.string()),
            filterPrefix: optionalString,
            filterSuffix: optionalString,
          }),
        ),
      ),
    },
    {},
  ),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": resourceType(
    { bucket: z.string(), rule: object({ objectOwnership: only("BucketOwnerEnforced") }) },
    {},
  ),
  "aws:s3/bucketPolicy:BucketPolicy": resourceType(
    { bucket: z.string(), policy: policyDocument },
    {},
  ),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": resourceType(
    {
      bucket: z.string(),
      blockPublicAcls: ignored(NO_ACL),
      ignorePublicAcls: ignored(NO_ACL),
      blockPublicPolicy: optionalBoolean,
      restrictPublicBuckets: optionalBoolean,
      skipDestroy: ignored("about the removal of a deployment"),
    },
    {},
  ),
  "aws:s3/bucketVersioning:BucketVersioning": resourceType(
    {
      bucket: z.string(),
      versioningConfiguration: object({
        status: requiredOneOf("Enabled", "Suspended", "Disabled"),
        mfaDelete: only("Disabled"),
      }),
      expectedBucketOwner: ignored(ACCOUNT_CHECK),
    },
    {},
  ),
};
