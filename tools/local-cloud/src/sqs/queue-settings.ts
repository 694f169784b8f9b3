import * as Policy from "../iam/policy.ts";
import { StartError } from "../start-error.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";

/** What the graph says of a queue; durations in seconds. */
export type QueueSettings = {
  arn: string;
  url: string;
  name: string;
  visibilitySeconds: number;
  retentionSeconds: number;
  delaySeconds: number;
  receiveWaitSeconds: number;
  maxMessageBytes: number;
  deadLetters?: { target: string; maxReceives: number };
  /** Who besides the roles of this account may use it: buckets, topics. */
  policy: Policy.Statement[];
};

/** Defaults: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
export function readQueues(graph: ResourceGraph): Map<string, QueueSettings> {
  const queues = resourcesOf(graph, "aws:sqs/queue:Queue").map((queue) => readQueue(graph, queue));
  const byArn = new Map(queues.map((queue) => [queue.arn, queue]));
  for (const { name, deadLetters: redrive } of queues)
    if (redrive && !byArn.has(redrive.target))
      throw new StartError(
        `The queue ${name} sends its dead letters to ${redrive.target}, which is not in the graph.`,
      );
  return byArn;
}

function readQueue(
  graph: ResourceGraph,
  { id, name, inputs, outputs }: Resource<"aws:sqs/queue:Queue">,
): QueueSettings {
  const redrive = inputs.redrivePolicy && JSON.parse(inputs.redrivePolicy);
  return {
    arn: outputs.arn,
    url: outputs.url ?? id,
    name: outputs.arn.split(":").at(-1)!,
    visibilitySeconds: inputs.visibilityTimeoutSeconds ?? 30,
    retentionSeconds: inputs.messageRetentionSeconds ?? 4 * 24 * 3600,
    delaySeconds: inputs.delaySeconds ?? 0,
    receiveWaitSeconds: inputs.receiveWaitTimeSeconds ?? 0,
    maxMessageBytes: inputs.maxMessageSize ?? 1024 * 1024,
    ...(redrive
      ? {
          deadLetters: {
            target: redrive.deadLetterTargetArn,
            maxReceives: Number(redrive.maxReceiveCount),
          },
        }
      : {}),
    policy: policyOf(graph, name, outputs.url ?? id, inputs.policy),
  };
}

/** A queue has one policy: of several in the graph AWS would keep whichever was written last. */
function policyOf(
  graph: ResourceGraph,
  name: string,
  url: string,
  own?: string,
): Policy.Statement[] {
  const policies = resourcesOf(graph, "aws:sqs/queuePolicy:QueuePolicy")
    .filter(({ inputs }) => inputs.queueUrl === url)
    .map(({ inputs }): string => inputs.policy);
  const [policy, other] = new Set([...(own ? [own] : []), ...policies]);
  if (other)
    throw new StartError(`The queue ${name} has several policies, of which AWS would keep one.`);
  return policy ? Policy.parse(policy, `the policy of the queue ${name}`) : [];
}
