import { ServiceError } from "../iam/request-access.ts";
import type { Principal } from "../iam/principals.ts";
import * as Message from "./message.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { MoveTask, Queues } from "./queues.ts";
import { batch } from "./batch.ts";

/** What a request of the JSON protocol may say; each operation looks at a few of these. */
export type Input = {
  QueueUrl?: string;
  QueueName?: string;
  QueueNamePrefix?: string;
  MessageBody?: string;
  MessageAttributes?: Message.MessageAttributes;
  MessageSystemAttributes?: { AWSTraceHeader?: { StringValue?: string } };
  DelaySeconds?: number;
  MaxNumberOfMessages?: number;
  WaitTimeSeconds?: number;
  VisibilityTimeout?: number;
  AttributeNames?: string[];
  MessageSystemAttributeNames?: string[];
  MessageAttributeNames?: string[];
  ReceiptHandle?: string;
  Entries?: (Input & { Id?: string })[];
  SourceArn?: string;
  DestinationArn?: string;
  MaxResults?: number;
};

type Call = {
  input: Input;
  queues: Queues;
  principal: Principal;
  /** Aborts when the caller hangs up. */
  signal: AbortSignal;
  /** `X-Amzn-Trace-Id` of the request. */
  traceHeader: string | undefined;
  /** The queue of the request; throws when there is none. */
  queue(url?: string): QueueSettings;
  /** How the caller reaches a queue. */
  urlOf(queue: QueueSettings): string;
  permit(queue: QueueSettings, ...actions: string[]): void;
  permitAny(action: string): void;
};

/** `undo` is for an answer that does not reach the caller. */
export type Operation = (call: Call) => Outcome | Promise<Outcome>;
type Outcome = { answer: object; undo?: () => void };

/** The right of a batch is that of its single operation: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html */
const permitted = (call: Call, action: string): QueueSettings => {
  const queue = call.queue();
  call.permit(queue, action);
  return queue;
};

export const operations: Record<string, Operation> = {
  SendMessage(call) {
    const { arn } = permitted(call, "SendMessage");
    return { answer: sendOne(call, arn, call.input) };
  },
  SendMessageBatch(call) {
    const { arn, maxMessageBytes: maxBytes } = permitted(call, "SendMessage");
    const bytes = (call.input.Entries ?? []).reduce(
      (sum, { MessageBody = "" }) => sum + Buffer.byteLength(MessageBody),
      0,
    );
    if (bytes > maxBytes)
      throw new ServiceError(
        "com.amazonaws.sqs#BatchRequestTooLong",
        `Batch requests cannot be longer than ${maxBytes} bytes. You have sent ${bytes} bytes.`,
      );
    return batch(call.input, (entry) => sendOne(call, arn, entry));
  },
  async ReceiveMessage(call) {
    const { arn, receiveWaitSeconds: wait } = permitted(call, "ReceiveMessage");
    const { input, queues, signal } = call;
    const max = within("MaxNumberOfMessages", input.MaxNumberOfMessages ?? 1, 1, 10);
    const waitSeconds = within("WaitTimeSeconds", input.WaitTimeSeconds ?? wait, 0, 20);
    const visibilitySeconds =
      input.VisibilityTimeout === undefined ? undefined : visibility(input.VisibilityTimeout);
    const messages = await queues.poll(arn, { max, waitSeconds, visibilitySeconds, signal });
    return {
      answer: messages.length > 0 ? { Messages: messages.map((one) => received(one, input)) } : {},
      undo: () => queues.undoReceive(messages.map(({ receiptHandle }) => receiptHandle)),
    };
  },
  DeleteMessage(call) {
    const { arn } = permitted(call, "DeleteMessage");
    call.queues.delete(arn, required("ReceiptHandle", call.input.ReceiptHandle));
    return { answer: {} };
  },
  DeleteMessageBatch(call) {
    const { arn } = permitted(call, "DeleteMessage");
    return batch(call.input, ({ ReceiptHandle }) => {
      call.queues.delete(arn, required("ReceiptHandle", ReceiptHandle));
      return {};
    });
  },
  ChangeMessageVisibility(call) {
    const { arn } = permitted(call, "ChangeMessageVisibility");
    changeOne(call, arn, call.input);
    return { answer: {} };
  },
  ChangeMessageVisibilityBatch(call) {
    const { arn } = permitted(call, "ChangeMessageVisibility");
    return batch(call.input, (entry) => changeOne(call, arn, entry));
  },
  GetQueueUrl(call) {
    const name = required("QueueName", call.input.QueueName);
    const queue = call.queues.list().find((candidate) => candidate.name === name) ?? call.queue("");
    call.permit(queue, "GetQueueUrl");
    return { answer: { QueueUrl: call.urlOf(queue) } };
  },
  GetQueueAttributes(call) {
    const queue = permitted(call, "GetQueueAttributes");
    const names = call.input.AttributeNames ?? [];
    const all = Object.entries(attributes(queue, call.queues));
    const wanted = all.filter(([name]) => names.includes("All") || names.includes(name));
    return { answer: wanted.length > 0 ? { Attributes: Object.fromEntries(wanted) } : {} };
  },
  ListQueues(call) {
    call.permitAny("ListQueues");
    const urls = call.queues
      .list()
      .filter(({ name }) => name.startsWith(call.input.QueueNamePrefix ?? ""))
      .map((queue) => call.urlOf(queue));
    return { answer: urls.length > 0 ? { QueueUrls: urls } : {} };
  },
  PurgeQueue(call) {
    call.queues.purge(permitted(call, "PurgeQueue").arn);
    return { answer: {} };
  },
  StartMessageMoveTask(call) {
    const { queues, input } = call;
    const source = queues.get(required("SourceArn", input.SourceArn));
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    call.permit(
      source,
      "StartMessageMoveTask",
      "ReceiveMessage",
      "DeleteMessage",
      "GetQueueAttributes",
    );
    const targets = input.DestinationArn
      ? [queues.get(input.DestinationArn)]
      : queues.list().filter(({ deadLetters: redrive }) => redrive?.target === source.arn);
    for (const queue of targets) call.permit(queue, "SendMessage");
    return {
      answer: { TaskHandle: handle(queues.startMoveTask(source.arn, input.DestinationArn)) },
    };
  },
  ListMessageMoveTasks(call) {
    const { queues, input } = call;
    const source = queues.get(required("SourceArn", input.SourceArn));
    call.permit(source, "ListMessageMoveTasks");
    const max = within("MaxResults", input.MaxResults ?? 1, 1, 10);
    return { answer: { Results: queues.listMoveTasks(source.arn).slice(0, max).map(listed) } };
  },
};

function sendOne({ queues, principal, ...call }: Call, arn: string, entry: Input): object {
  // the message's own attribute, else the trace of the request: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
  const traceHeader =
    entry.MessageSystemAttributes?.AWSTraceHeader?.StringValue ?? call.traceHeader;
  const sent = queues.send(arn, entry.MessageBody ?? "", {
    ...(entry.MessageAttributes ? { attributes: entry.MessageAttributes } : {}),
    ...(entry.DelaySeconds === undefined
      ? {}
      : { delaySeconds: within("DelaySeconds", entry.DelaySeconds, 0, 900) }),
    ...(traceHeader ? { traceHeader } : {}),
    senderId: `${principal.accessKeyId}:${principal.arn.split("/").at(-1)}`,
  });
  return {
    MessageId: sent.messageId,
    MD5OfMessageBody: sent.bodyMd5,
    ...(sent.attributesMd5 ? { MD5OfMessageAttributes: sent.attributesMd5 } : {}),
  };
}

function changeOne({ queues }: Call, arn: string, entry: Input): object {
  const seconds = required("VisibilityTimeout", entry.VisibilityTimeout);
  const receipt = required("ReceiptHandle", entry.ReceiptHandle);
  queues.changeVisibility(arn, receipt, visibility(seconds));
  return {};
}

function received(message: Message.Message, input: Input): object {
  const systemNames = [input.AttributeNames ?? [], input.MessageSystemAttributeNames ?? []].flat();
  const system = Object.entries(message.attributes).filter(
    ([name]) => systemNames.includes("All") || systemNames.includes(name),
  );
  const own = Object.entries(message.messageAttributes).filter(([name]) =>
    (input.MessageAttributeNames ?? []).some(
      (wanted) =>
        wanted === name ||
        wanted === "All" ||
        (wanted.endsWith(".*") && name.startsWith(wanted.slice(0, -1))),
    ),
  );
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: message.bodyMd5,
    ...(system.length > 0 ? { Attributes: Object.fromEntries(system) } : {}),
    ...(own.length > 0
      ? {
          MessageAttributes: Object.fromEntries(own),
          MD5OfMessageAttributes: Message.attributesMd5(Object.fromEntries(own)),
        }
      : {}),
  };
}

function attributes(queue: QueueSettings, queues: Queues): Record<string, string> {
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
            deadLetterTargetArn: queue.deadLetters.target,
            maxReceiveCount: queue.deadLetters.maxReceives,
          }),
        }
      : {}),
  };
}

const handle = ({ id, source }: MoveTask) =>
  Buffer.from(JSON.stringify({ taskId: id, sourceArn: source })).toString("base64");

const listed = (move: MoveTask) => ({
  TaskHandle: handle(move),
  Status: move.status,
  SourceArn: move.source,
  ...(move.destination ? { DestinationArn: move.destination } : {}),
  ApproximateNumberOfMessagesMoved: move.moved,
  ApproximateNumberOfMessagesToMove: move.total,
  ...(move.failure ? { FailureReason: move.failure } : {}),
  StartedTimestamp: move.startedAt,
});

const visibility = (seconds: number) => within("VisibilityTimeout", seconds, 0, 43_200);

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw Message.invalidParameter(
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${least} and ${most}, if provided.`,
  );
}

function required<T>(name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new ServiceError(
    "com.amazon.coral.service#MissingRequiredParameterException",
    `The request must contain the parameter ${name}.`,
  );
}
