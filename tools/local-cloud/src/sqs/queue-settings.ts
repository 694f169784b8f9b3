import * as Policy from "../iam/policy.ts";
import { StartError } from "../start-error.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";

/** A queue of the graph. */
export type QueueSettings = {
  arn: string;
  url: string;
  name: string;
  visibilitySeconds: number;
  retentionSeconds: number;
  delaySeconds: number;
  receiveWaitSeconds: number;
  maxMessageBytes: number;
  /** Where a message goes instead of being received for more than `maxReceiveCount` times. */
  deadLetters?: { queueArn: string; maxReceiveCount: number };
  /** The queue's own policy: it lets in services such as S3. */
  policy: Policy.Statement[];
};

/** Returns the queues of the graph by ARN. Defaults: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
export function readQueues(graph: ResourceGraph): Map<string, QueueSettings> {
  const queues = resourcesOf(graph, "aws:sqs/queue:Queue").map((queue) => readQueue(graph, queue));
  const byArn = new Map(queues.map((queue) => [queue.arn, queue]));
  for (const { name, deadLetters } of queues)
    if (deadLetters && !byArn.has(deadLetters.queueArn))
      throw new StartError(
        `The queue ${name} sends its dead letters to ${deadLetters.queueArn}, which is not in the graph.`,
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
            queueArn: redrive.deadLetterTargetArn,
            maxReceiveCount: Number(redrive.maxReceiveCount),
          },
        }
      : {}),
    policy: policyOf(graph, name, outputs.url ?? id, inputs.policy),
  };
}

/** A queue has one policy: of several in the graph AWS would keep the one that is written last. */
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
    throw new StartError(
      `The queue ${name} has several policies, of which AWS would keep one: merge them into one.`,
    );
  return policy ? Policy.parse(policy, `the policy of the queue ${name}`) : [];
}
