import * as Access from "./access.ts";
import type { Action } from "./types.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
export const headBucket: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucket");
  return {
    headers: { "x-amz-bucket-region": s3.graph.region, "x-amz-access-point-alias": "false" },
  };
};
