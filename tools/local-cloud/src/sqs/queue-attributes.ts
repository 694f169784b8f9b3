import { type Action, authorizedQueue, required } from "./action.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { Queues } from "./queues.ts";

export const GetQueueUrl: Action = (call) => {
  const name = required("QueueName", call.input.QueueName);
  const queue = call.queues.list().find((candidate) => candidate.name === name) ?? call.queueOf("");
  call.authorize(queue, "GetQueueUrl");
  return { result: { QueueUrl: call.urlOf(queue) } };
};

export const GetQueueAttributes: Action = (call) => {
  const queue = authorizedQueue(call, "GetQueueAttributes");
  const names = call.input.AttributeNames ?? [];
  const wanted = Object.entries(attributesOf(queue, call.queues)).filter(
    ([name]) => names.includes("All") || names.includes(name),
  );
  return { result: wanted.length > 0 ? { Attributes: Object.fromEntries(wanted) } : {} };
};

export const ListQueues: Action = (call) => {
  call.authorizeAny("ListQueues");
  const urls = call.queues
    .list()
    .filter(({ name }) => name.startsWith(call.input.QueueNamePrefix ?? ""))
    .map((queue) => call.urlOf(queue));
  return { result: urls.length > 0 ? { QueueUrls: urls } : {} };
};

function attributesOf(queue: QueueSettings, queues: Queues): Record<string, string> {
  const { visible, inFlight, delayed } = queues.countMessages(queue.arn);
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    VisibilityTimeout: String(queue.visibilitySeconds),
    MessageRetentionPeriod: String(queue.retentionSeconds),
    DelaySeconds: String(queue.delaySeconds),
    ReceiveMessageWaitTimeSeconds: String(queue.receiveWaitSeconds),
    MaximumMessageSize: String(queue.maxMessageBytes),
    ...(queue.deadLetters
      ? {
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: queue.deadLetters.queueArn,
            maxReceiveCount: queue.deadLetters.maxReceiveCount,
          }),
        }
      : {}),
  };
}
