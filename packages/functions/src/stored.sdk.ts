// Loaded by stored.ts on the first call: a 304 needs no S3.

export { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
export { client } from "@balde/core/bucket.sdk";
