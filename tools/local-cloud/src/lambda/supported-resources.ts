import { type Known, labels, unknownProperties } from "../property-support.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";

/** What sends events and is not here at all: nothing would ever come of it. */
const ABSENT = /^aws:(?:sns|scheduler|pipes|kinesis|mq|msk)\/|^aws:cloudwatch\/event/;

/** Types under `aws:lambda/` and `aws:sqs/` that are read here, each property with what it is. */
export const KNOWN: Record<string, Known> = {
  "lambda/eventSourceMapping:EventSourceMapping": {
    emulated: [
      "batchSize",
      "bisectBatchOnFunctionError",
      "destinationConfig",
      "enabled",
      "eventSourceArn",
      "filterCriteria",
      "functionName",
      "functionResponseTypes",
      "maximumBatchingWindowInSeconds",
      "maximumRecordAgeInSeconds",
      "maximumRetryAttempts",
      "parallelizationFactor",
      "scalingConfig",
      "startingPosition",
    ],
    // how AWS encrypts the filter, and what it counts of itself
    meaningless: [...labels, "kmsKeyArn", "metricsConfig"],
    // a table has one shard here, and its batches come one after another
    only: { parallelizationFactor: [1] },
  },
  "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
    emulated: [
      "destinationConfig",
      "functionName",
      "maximumEventAgeInSeconds",
      "maximumRetryAttempts",
      "qualifier",
    ],
    meaningless: labels,
    only: { qualifier: ["$LATEST"] },
  },
  "sqs/queue:Queue": {
    emulated: [
      "delaySeconds",
      "maxMessageSize",
      "messageRetentionSeconds",
      "policy",
      "receiveWaitTimeSeconds",
      "redrivePolicy",
      "visibilityTimeoutSeconds",
      // refused by their value, with a sentence of their own
      "fifoQueue",
    ],
    // at rest, on this machine
    meaningless: [
      ...labels,
      "namePrefix",
      "kmsMasterKeyId",
      "kmsDataKeyReusePeriodSeconds",
      "sqsManagedSseEnabled",
    ],
  },
};

/** Read elsewhere, or without meaning on a laptop. */
const OTHERS = new Set([
  "lambda/function:Function",
  "lambda/permission:Permission",
  "lambda/functionRecursionConfig:FunctionRecursionConfig",
  "lambda/runtimeManagementConfig:RuntimeManagementConfig",
  "sqs/queuePolicy:QueuePolicy",
]);

/** Sentences about every source, queue and setting of an invocation that the graph configures and nothing here does. */
export function unemulated(resources: Resource[]): string[] {
  return resources.flatMap((resource) => {
    const absent = `${resource.name} is a ${resource.type}, which is not emulated`;
    if (ABSENT.test(resource.type)) return [absent];
    const type = /^aws:((?:lambda|sqs)\/.+)$/.exec(resource.type)?.[1];
    if (type === undefined || OTHERS.has(type)) return [];
    const known = KNOWN[type];
    return known ? unknownProperties(resource, known) : [absent];
  });
}

/** Sentences about mappings that AWS would not make. */
export function refused(graph: ResourceGraph): string[] {
  const queues = new Map(
    resourcesOf(graph, "aws:sqs/queue:Queue").map(({ inputs, outputs }) => [outputs.arn, inputs]),
  );
  const timeouts = new Map(
    resourcesOf(graph, "aws:lambda/function:Function").map(({ inputs, outputs }) => [
      outputs.arn,
      inputs.timeout ?? 3,
    ]),
  );
  return resourcesOf(graph, "aws:lambda/eventSourceMapping:EventSourceMapping").flatMap(
    ({ name, inputs, outputs }) => {
      const found: string[] = [];
      const queue = queues.get(inputs.eventSourceArn);
      if (!queue) return found;
      const visibility = queue.visibilityTimeoutSeconds ?? 30;
      const timeout = timeouts.get(outputs.functionArn ?? inputs.functionName) ?? 0;
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      if (visibility < timeout)
        found.push(
          `${name}: the queue's visibility timeout of ${visibility} s is less than the function's timeout of ${timeout} s`,
        );
      if ((inputs.batchSize ?? 10) > 10 && !inputs.maximumBatchingWindowInSeconds)
        found.push(
          `${name}: a batch of more than 10 messages needs maximumBatchingWindowInSeconds`,
        );
      return found;
    },
  );
}
