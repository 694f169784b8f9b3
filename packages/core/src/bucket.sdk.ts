import {
  CopyObjectCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
} from "@aws-sdk/client-s3";

// Loaded by bucket.ts on the first call and not before: half of a cold start would be this import.

export { CopyObjectCommand, DeleteObjectCommand, ListObjectVersionsCommand };

let connected: S3Client | undefined;

export const client = () => (connected ??= connect());

const connect = () =>
  new S3Client({
    // a bucket is a host name in AWS; on a laptop there is only one host
    forcePathStyle: Boolean(process.env["AWS_ENDPOINT_URL_S3"]),
    // the default adds a CRC32 in a trailer to what it sends, and a form cannot: https://github.com/aws/aws-sdk-js-v3/issues/6810
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      throwOnRequestTimeout: true,
    },
  });
