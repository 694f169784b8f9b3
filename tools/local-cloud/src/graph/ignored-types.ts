/** Resource types that do something in AWS and nothing here; the start says so. */
const TYPES_NOT_RUN: Record<string, string> = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": "CloudWatch alarm",
  "aws:sns/topic:Topic": "SNS topic",
  "aws:sns/topicSubscription:TopicSubscription": "SNS subscription",
};

/** Returns what a graph has that is not run here, as words for a person: `4 CloudWatch alarms`. */
export function notRunHere(types: string[]): string[] {
  const counts = Map.groupBy(
    types.filter((type) => Object.hasOwn(TYPES_NOT_RUN, type)),
    (type) => TYPES_NOT_RUN[type]!,
  );
  return [...counts].map(([title, { length }]) => `${length} ${title}${length > 1 ? "s" : ""}`);
}

/** Resource types that nothing here reads, each with the reason why it has no meaning on a laptop. */
const IGNORED_TYPES: { type: string | RegExp; reason: string }[] = [
  { type: /^sst:/, reason: "a component of SST; what it creates is in the graph as well" },
  { type: /^pulumi:(?:pulumi:Stack$|providers:)/, reason: "Pulumi's own" },
  {
    type: /^random:index\//,
    reason: "a value that AWS never sees; it is in the graph as an output",
  },
  { type: "aws:cloudwatch/logGroup:LogGroup", reason: "logs are printed" },
  {
    type: "aws:apigateway/account:Account",
    reason: "the role with which AWS writes its own logs",
  },
  {
    type: /^aws:apigateway\/documentation(?:Part|Version):/,
    reason: "text for generated documentation",
  },
  {
    type: "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
    reason: "a function that calls itself in a circle costs nothing here",
  },
  {
    type: "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig",
    reason: "when AWS updates the runtime; functions run on this machine's Node",
  },
  {
    type: "aws:s3/bucketObjectv2:BucketObjectv2",
    reason: "SST uploads a function's bundle with it; functions are bundled here",
  },
];

/** Whether a resource of this type may be in a graph without anything here reading it. */
export const isIgnored = (type: string): boolean =>
  Object.hasOwn(TYPES_NOT_RUN, type) ||
  IGNORED_TYPES.some((ignored) =>
    typeof ignored.type === "string" ? ignored.type === type : ignored.type.test(type),
  );
