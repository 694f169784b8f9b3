import * as Settings from "./settings.ts";

const settings = Settings.of($app.stage);

/** What a prefix of the bucket is for stands in docs/architecture.md; nothing in it is public. */
export const images = new sst.aws.Bucket("Images", {
  versioning: true,
  cors: {
    // a browser posts a picture straight to the bucket, under a policy that the API signed
    allowMethods: ["POST", "PUT"],
    allowOrigins: [...settings.origins],
    allowHeaders: ["*"],
    exposeHeaders: ["ETag"],
    maxAge: "1 hour",
  },
  lifecycle: [
    // what ingest has not taken within a day was never going to be a picture
    { id: "uploads", prefix: "uploads/", expiresIn: "1 day" },
    // a derivative can be made again
    { id: "derived", prefix: "derived/", expiresIn: "30 days" },
  ],
  transform: {
    bucket: { forceDestroy: settings.emptyBucketOnRemoval },
    lifecycle: (lifecycle) => {
      lifecycle.rules = $output(lifecycle.rules).apply((rules) => [
        ...(rules ?? []),
        {
          // SST's rules know expiry only. In a versioned bucket that leaves the bytes, and a marker for ever.
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

withoutAccessLists();

/** Metadata and likes; what the keys hold stands in docs/architecture.md. */
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

/** Who may do what is said by roles and by the bucket's policy, never by an object itself. */
function withoutAccessLists() {
  return new aws.s3.BucketOwnershipControls("ImagesOwnership", {
    bucket: images.name,
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
}
