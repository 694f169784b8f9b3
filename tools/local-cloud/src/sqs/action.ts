import { ServiceError } from "../service-error.ts";
import type { Principal } from "../iam/principals.ts";
import * as Message from "./message.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { Queues } from "./queues.ts";

/** The fields of all requests in the spelling of the JSON protocol; each action reads a few of them. */
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

/** One request, and what an action needs to carry it out. */
export type Call = {
  input: Input;
  queues: Queues;
  principal: Principal;
  /** Aborts when the client closes the connection. */
  signal: AbortSignal;
  /** `X-Amzn-Trace-Id` of the request. */
  traceHeader: string | undefined;
  /** The queue of a URL, by default of the request's; throws when there is none. */
  queueOf(url?: string): QueueSettings;
  /** The address under which the client reaches a queue. */
  urlOf(queue: QueueSettings): string;
  /** Throws unless the client may do all of these actions on the queue. */
  authorize(queue: QueueSettings, ...actions: string[]): void;
  /** Throws unless the client may do the action on any queue. */
  authorizeAny(action: string): void;
};

export type Action = (call: Call) => Outcome | Promise<Outcome>;

/** `undo` is called when the response does not reach the client. */
type Outcome = { result: object; undo?: () => void };

/**
 * Returns the request's queue if the client may do the action on it. A batch needs the permission of its single action:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
 */
export function authorizedQueue(call: Call, action: string): QueueSettings {
  const queue = call.queueOf();
  call.authorize(queue, action);
  return queue;
}

/** Returns the value if it is an integer from `min` to `max`. */
export function integerBetween(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw Message.invalidParameter(
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
  );
}

/** Twelve hours at most: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html */
export const visibilityTimeout = (seconds: number) =>
  integerBetween("VisibilityTimeout", seconds, 0, 43_200);

export function required<T>(name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new ServiceError(
    "com.amazon.coral.service#MissingRequiredParameterException",
    `The request must contain the parameter ${name}.`,
  );
}
