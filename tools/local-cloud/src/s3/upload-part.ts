import * as Access from "./access.ts";
import * as Payload from "./payload.ts";
import type { Action } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import { findUpload } from "./find-upload.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export const uploadPart: Action = async (s3, call) => {
  Access.assertAllowed(s3, call, "s3:PutObject");
  const upload = findUpload(s3, call);
  const number = Number(call.query.get("partNumber"));
  if (!(Number.isInteger(number) && number >= 1 && number <= MAX_PARTS))
    throw new S3Error(
      "InvalidArgument",
      `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    );
  const { source, claim } = Payload.open(call);
  const { algorithm } = upload;
  if (algorithm && claim.checksum && claim.checksum.algorithm !== algorithm)
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm}, actual checksum Type: ${claim.checksum.algorithm}`,
    );
  const checksum = claim.checksum ?? (algorithm && { algorithm });
  const received = await Payload.receive(s3, source, { ...claim, checksum });
  try {
    s3.store.transaction(() => {
      findUpload(s3, call); // it may have been completed or aborted while the bytes arrived
      s3.store.free(s3.uploads.putPart(upload.id, number, received, s3.clock.now()));
    });
  } catch (error) {
    s3.blobs.remove([received.blob]);
    throw error;
  }
  return {
    headers: {
      etag: `"${received.md5}"`,
      ...ObjectHeaders.encryption,
      ...(received.checksum && {
        [`x-amz-checksum-${received.checksum.algorithm}`]: received.checksum.value,
      }),
    },
  };
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
