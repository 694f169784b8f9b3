import type { Action, Call } from "./types.ts";
import * as Checksum from "./checksum.ts";
import { S3Error, notImplemented } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import * as Xml from "./xml.ts";
import { assertWriteAllowed } from "./commit-object.ts";
import { uploadElements } from "./find-upload.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export const createMultipartUpload: Action = (s3, call) => {
  assertWriteAllowed(s3, call);
  const headers = ObjectHeaders.fromHeaders(call.headers);
  const algorithm = algorithmOf(call.headers);
  const { bucket, key } = call;
  const id = s3.uploads.create(
    bucket.name,
    key,
    { headers, ...(algorithm && { algorithm }) },
    s3.clock.now(),
  );
  return {
    headers: {
      ...ObjectHeaders.encryption,
      ...(algorithm && {
        "x-amz-checksum-algorithm": algorithm.toUpperCase(),
        "x-amz-checksum-type": "COMPOSITE",
      }),
    },
    body: Xml.document("InitiateMultipartUploadResult", [
      ...uploadElements(call),
      Xml.element("UploadId", id),
    ]),
  };
};

function algorithmOf(headers: Call["headers"]): Checksum.Algorithm | undefined {
  const requested = headers["x-amz-checksum-algorithm"];
  const type = headers["x-amz-checksum-type"];
  if (requested === undefined) return undefined;
  const algorithm = Checksum.algorithms.find((one) => one === requested.toLowerCase());
  if (!algorithm)
    throw new S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.");
  // a checksum of the whole object would have to be combined from those of the parts
  if (algorithm === "crc64nvme" || type === "FULL_OBJECT")
    throw notImplemented("x-amz-checksum-type: FULL_OBJECT");
  return algorithm;
}
