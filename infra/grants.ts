import { wildcardPermissions } from "./wildcard-permissions.ts";

/** An entry of `permissions:` of a function: actions and the one resource that they are for. Links give names only. */
export type Grant = sst.aws.FunctionPermissionArgs;

type Arn = $util.Input<string>;

/** The actions that AWS cannot restrict to a resource. */
export const wildcards = (): Grant[] =>
  wildcardPermissions.map(({ actions }) => ({ actions, resources: ["*"] }));

/** Objects under the given prefixes of a bucket, such as `uploads/*`. */
export const objects = (bucket: sst.aws.Bucket, prefixes: string[], actions: string[]): Grant => ({
  actions: actions.map((action) => `s3:${action}`),
  resources: prefixes.map((prefix) => $interpolate`${bucket.arn}/${prefix}`),
});

/** Listing is a permission on the bucket; the condition restricts it to the prefixes. */
export const listing = (bucket: sst.aws.Bucket, prefixes: string[], actions: string[]): Grant => ({
  actions: actions.map((action) => `s3:${action}`),
  resources: [bucket.arn],
  conditions: [{ test: "StringLike", variable: "s3:prefix", values: prefixes }],
});

/**
 * S3 answers 404 for a missing key only if the caller may list the bucket, and 403 otherwise, as for a missing permission. A
 * request for one key has no prefix, so no condition can restrict it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export const listForNotFound = (bucket: sst.aws.Bucket): Grant => ({
  actions: ["s3:ListBucket"],
  resources: [bucket.arn],
});

export const items = (table: sst.aws.Dynamo, actions: string[]): Grant => ({
  actions: actions.map((action) => `dynamodb:${action}`),
  resources: [table.arn],
});

/** Items whose `pk`, or in a query of an index its partition key, matches one of these patterns, such as `MADE#*`. Every request must name a partition: a scan names none, and the condition would be met. */
export const itemsWithKeyLike = (
  table: sst.aws.Dynamo,
  keys: string[],
  actions: string[],
): Grant => ({
  ...items(table, actions),
  conditions: [{ test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: keys }],
});

/** Queries on indexes, which have ARNs of their own. */
export const indexQueries = (table: sst.aws.Dynamo): Grant => ({
  actions: ["dynamodb:Query"],
  resources: [$interpolate`${table.arn}/index/*`],
});

/** Without ListStreams: the event source mapping knows its stream. */
export const readStream = (streamArn: Arn): Grant => ({
  actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
  resources: [streamArn],
});

export const messages = (queue: sst.aws.Queue, actions: string[]): Grant => ({
  actions: actions.map((action) => `sqs:${action}`),
  resources: [queue.arn],
});

/** What an event source mapping needs to poll a queue with its function's role. */
export const pollQueue = (queue: sst.aws.Queue): Grant =>
  messages(queue, [
    "ReceiveMessage",
    "DeleteMessage",
    "GetQueueAttributes",
    "ChangeMessageVisibility",
  ]);
