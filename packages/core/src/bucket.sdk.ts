import {
  CopyObjectCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
} from "@aws-sdk/client-s3";

import { getConfiguredEndpoint } from "./aws-request.ts";

// bucket.ts loads this file on its first call that needs it: this import would be half of a cold start.

export { CopyObjectCommand, DeleteObjectCommand, ListObjectVersionsCommand };

let s3Client: S3Client | undefined;

/** The one client of this process. */
export const client = () => (s3Client ??= createClient({ requestMs: 10_000, socketMs: 5_000 }));

let copyClient: S3Client | undefined;

/** The client for copies of large objects: S3 answers when the copy is made, and AWS does not say how long that takes for 500 MiB. */
export const clientForLargeCopies = () =>
  (copyClient ??= createClient({ requestMs: 40_000, socketMs: 40_000 }));

const createClient = ({ requestMs, socketMs }: { requestMs: number; socketMs: number }) =>
  new S3Client({
    // in AWS a bucket is a host name; the local cloud has only one host
    forcePathStyle: getConfiguredEndpoint("s3") !== undefined,
    // the default adds a CRC32 trailer to uploads, which a presigned POST cannot send: https://github.com/aws/aws-sdk-js-v3/issues/6810
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: requestMs,
      // also ends a response that stops in its middle; then the SDK tries again
      socketTimeout: socketMs,
      throwOnRequestTimeout: true,
    },
  });
