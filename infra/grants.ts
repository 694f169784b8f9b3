/** Rights, as they stand in `permissions:` of a function: an action and the one thing it is for. Links give names only. */
export type Grant = sst.aws.FunctionPermissionArgs;

type Arn = $util.Input<string>;

/**
 * The statements that AWS cannot narrow to a resource, with the reason. Nothing else may say `*`: a test holds the
 * graph against this list.
 */
export const unscoped = [
  {
    actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    reason:
      "X-Ray has no resource to name for these two: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
  },
] as const;

export const trace = (): Grant[] =>
  unscoped.map(({ actions }) => ({ actions: [...actions], resources: ["*"] }));

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

export const items = (table: sst.aws.Dynamo, actions: string[]): Grant => ({
  actions: actions.map((action) => `dynamodb:${action}`),
  resources: [table.arn],
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
