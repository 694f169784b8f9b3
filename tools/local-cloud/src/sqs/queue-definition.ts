import * as Policy from "../iam/policy.ts";
import { StartError } from "../start-error.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";

/** What the graph says of a queue; durations in seconds. */
export type Definition = {
  arn: string;
  url: string;
  name: string;
  visibility: number;
  retention: number;
  delay: number;
  wait: number;
  maxBytes: number;
  redrive?: { target: string; maxReceives: number };
  /** Who besides the roles of this account may use it: buckets, topics. */
  policy: Policy.Statement[];
};

/** Defaults: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
export function definitionsOf(graph: ResourceGraph): Map<string, Definition> {
  const queues = resourcesOf(graph, "aws:sqs/queue:Queue").map((queue) => read(graph, queue));
  const byArn = new Map(queues.map((queue) => [queue.arn, queue]));
  for (const { name, redrive } of queues)
    if (redrive && !byArn.has(redrive.target))
      throw new StartError(
        `The queue ${name} sends its dead letters to ${redrive.target}, which is not in the graph.`,
      );
  return byArn;
}

function read(graph: ResourceGraph, { id, name, inputs, outputs }: Resource): Definition {
  if (inputs.fifoQueue) throw new StartError(`The queue ${name} is FIFO: not emulated.`);
  const redrive = inputs.redrivePolicy && JSON.parse(inputs.redrivePolicy);
  return {
    arn: outputs.arn,
    url: outputs.url ?? id,
    name: outputs.arn.split(":").at(-1),
    visibility: inputs.visibilityTimeoutSeconds ?? 30,
    retention: inputs.messageRetentionSeconds ?? 4 * 24 * 3600,
    delay: inputs.delaySeconds ?? 0,
    wait: inputs.receiveWaitTimeSeconds ?? 0,
    maxBytes: inputs.maxMessageSize ?? 1024 * 1024,
    ...(redrive
      ? {
          redrive: {
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
