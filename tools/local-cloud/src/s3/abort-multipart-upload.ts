import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import { findUpload } from "./find-upload.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export const abortMultipartUpload: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:AbortMultipartUpload");
  const upload = findUpload(s3, call);
  s3.store.transaction(() => s3.store.free(s3.uploads.end(upload.id)));
  return { status: 204 };
};
