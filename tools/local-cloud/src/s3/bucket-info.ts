import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import * as Xml from "./xml.ts";

export const head: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucket");
  return {
    headers: { "x-amz-bucket-region": s3.graph.region, "x-amz-access-point-alias": "false" },
  };
};

/** The first region of all is written as nothing. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export const location: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:GetBucketLocation");
  const { region } = s3.graph;
  return { body: Xml.document("LocationConstraint", region === "us-east-1" ? "" : region) };
};
