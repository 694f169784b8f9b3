import { unscoped } from "./wildcard-permissions.ts";

/** Rights, as they stand in `permissions:` of a function: an action and the one thing it is for. Links give names only. */
export type Grant = sst.aws.FunctionPermissionArgs;

type Arn = $util.Input<string>;

export const trace = (): Grant[] => unscoped.map(({ actions }) => ({ actions, resources: ["*"] }));

/** Objects under the given prefixes of a bucket, such as `uploads/*`. */
export const objects = (bucket: sst.aws.Bucket, prefixes: string[], actions: string[]): Grant => ({
  actions: actions.map((action) => `s3:${action}`),
  resources: prefixes.map((prefix) => $interpolate`${bucket.arn}/${prefix}`),
});

/** Listing is a right on the bucket itself; only the condition keeps it to the prefixes. */
export const listing = (bucket: sst.aws.Bucket, prefixes: string[], actions: string[]): Grant => ({
  actions: actions.map((action) => `s3:${action}`),
  resources: [bucket.arn],
  conditions: [{ test: "StringLike", variable: "s3:prefix", values: prefixes }],
});

/**
 * S3 says 404 of a key that is not there only to somebody who may list the bucket; to anybody else it is 403, like a right
 * that is missing. The question for one key carries no prefix, so no condition can narrow it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export const absence = (bucket: sst.aws.Bucket): Grant => ({
  actions: ["s3:ListBucket"],
  resources: [bucket.arn],
});

export const items = (table: sst.aws.Dynamo, actions: string[]): Grant => ({
  actions: actions.map((action) => `dynamodb:${action}`),
  resources: [table.arn],
});

/** Items whose `pk` is like one of these, such as `MADE#*`. */
export const itemsLike = (table: sst.aws.Dynamo, keys: string[], actions: string[]): Grant => ({
  ...items(table, actions),
  conditions: [{ test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: keys }],
});

/** A query on an index needs the index's own ARN. */
export const indexes = (table: sst.aws.Dynamo): Grant => ({
  actions: ["dynamodb:Query"],
  resources: [$interpolate`${table.arn}/index/*`],
});

/** ListStreams is not needed: the mapping knows its stream. */
export const stream = (streamArn: Arn): Grant => ({
  actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
  resources: [streamArn],
});

export const messages = (queue: sst.aws.Queue, actions: string[]): Grant => ({
  actions: actions.map((action) => `sqs:${action}`),
  resources: [queue.arn],
});

/** What an event source mapping needs of its function's role to poll a queue. */
export const poll = (queue: sst.aws.Queue): Grant =>
  messages(queue, [
    "ReceiveMessage",
    "DeleteMessage",
    "GetQueueAttributes",
    "ChangeMessageVisibility",
  ]);
