import { type Action, integerBetween, required } from "./action.ts";
import type { MoveTask } from "./queues.ts";

export const StartMessageMoveTask: Action = ({ queues, input, authorize }) => {
  const source = queues.get(required("SourceArn", input.SourceArn));
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
  authorize(
    source,
    "StartMessageMoveTask",
    "ReceiveMessage",
    "DeleteMessage",
    "GetQueueAttributes",
  );
  const targets = input.DestinationArn
    ? [queues.get(input.DestinationArn)]
    : queues.list().filter(({ deadLetters }) => deadLetters?.queueArn === source.arn);
  for (const queue of targets) authorize(queue, "SendMessage");
  return {
    result: { TaskHandle: handleOf(queues.startMoveTask(source.arn, input.DestinationArn)) },
  };
};

export const ListMessageMoveTasks: Action = ({ queues, input, authorize }) => {
  const source = queues.get(required("SourceArn", input.SourceArn));
  authorize(source, "ListMessageMoveTasks");
  const max = integerBetween("MaxResults", input.MaxResults ?? 1, 1, 10);
  return { result: { Results: queues.listMoveTasks(source.arn).slice(0, max).map(describe) } };
};

const handleOf = ({ id, source }: MoveTask) =>
  Buffer.from(JSON.stringify({ taskId: id, sourceArn: source })).toString("base64");

const describe = (task: MoveTask) => ({
  TaskHandle: handleOf(task),
  Status: task.status,
  SourceArn: task.source,
  ...(task.destination ? { DestinationArn: task.destination } : {}),
  ApproximateNumberOfMessagesMoved: task.moved,
  ApproximateNumberOfMessagesToMove: task.total,
  ...(task.failure ? { FailureReason: task.failure } : {}),
  StartedTimestamp: task.startedAt,
});
