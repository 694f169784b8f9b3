import * as Settings from "./settings.ts";

const settings = Settings.ofStage($app.stage);

/** All objects of images; docs/data-model.md lists the prefixes. Nothing in the bucket is public. */
export const images = new sst.aws.Bucket("Images", {
  versioning: true,
  cors: {
    // a browser posts an image directly to the bucket, with a policy that the API signed
    allowMethods: ["POST", "PUT"],
    allowOrigins: [...settings.origins],
    allowHeaders: ["*"],
    exposeHeaders: ["ETag"],
    maxAge: "1 hour",
  },
  lifecycle: [
    // an upload that ingest has not processed within a day is not an image
    { id: "uploads", prefix: "uploads/", expiresIn: "1 day" },
    // a derivative can be rendered again
    { id: "derived", prefix: "derived/", expiresIn: "30 days" },
  ],
  transform: {
    bucket: { forceDestroy: settings.emptyBucketOnRemoval },
    lifecycle: (lifecycle) => {
      lifecycle.rules = $output(lifecycle.rules).apply((rules) => [
        ...(rules ?? []),
        {
          // SST's rules have expiry only, which leaves old versions and delete markers in a versioned bucket.
          id: "leftovers",
          status: "Enabled",
          filter: { prefix: "" },
          expiration: { expiredObjectDeleteMarker: true },
          noncurrentVersionExpiration: { noncurrentDays: settings.noncurrentDays },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
        },
      ]);
      return undefined;
    },
  },
});

disableAccessLists();

/** Metadata and likes; docs/data-model.md lists the keys. */
export const data = new sst.aws.Dynamo("Data", {
  fields: {
    pk: "string",
    sk: "string",
    gsi1pk: "string",
    gsi1sk: "string",
    gsi2pk: "string",
    gsi2sk: "string",
  },
  primaryIndex: { hashKey: "pk", rangeKey: "sk" },
  globalIndexes: {
    gsi1: { hashKey: "gsi1pk", rangeKey: "gsi1sk" },
    gsi2: { hashKey: "gsi2pk", rangeKey: "gsi2sk" },
  },
  ttl: "expiresAt",
  stream: "new-and-old-images",
  deletionProtection: settings.protect,
});

/** Access is decided by roles and the bucket policy, never by lists on objects. */
function disableAccessLists() {
  return new aws.s3.BucketOwnershipControls("ImagesOwnership", {
    bucket: images.name,
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
}
