import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import * as Xml from "./xml.ts";

/** The first region of all is written as nothing. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export const getBucketLocation: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:GetBucketLocation");
  const { region } = s3.graph;
  return { body: Xml.document("LocationConstraint", region === "us-east-1" ? "" : region) };
};
