import { ServiceError } from "../service-error.ts";
import { type Action, type Call, type Input, authorizedQueue, integerBetween } from "./action.ts";
import { forEachEntry } from "./batch.ts";

export const SendMessage: Action = (call) => {
  const { arn } = authorizedQueue(call, "SendMessage");
  return { result: send(call, arn, call.input) };
};

export const SendMessageBatch: Action = (call) => {
  const { arn, maxMessageBytes } = authorizedQueue(call, "SendMessage");
  const bytes = (call.input.Entries ?? []).reduce(
    (sum, { MessageBody = "" }) => sum + Buffer.byteLength(MessageBody),
    0,
  );
  if (bytes > maxMessageBytes)
    throw new ServiceError(
      "com.amazonaws.sqs#BatchRequestTooLong",
      `Batch requests cannot be longer than ${maxMessageBytes} bytes. You have sent ${bytes} bytes.`,
    );
  return { result: forEachEntry(call.input, (entry) => send(call, arn, entry)) };
};

function send({ queues, principal, ...call }: Call, arn: string, entry: Input): object {
  // the message's own attribute, else the trace of the request: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
  const traceHeader =
    entry.MessageSystemAttributes?.AWSTraceHeader?.StringValue ?? call.traceHeader;
  const sent = queues.send(arn, entry.MessageBody ?? "", {
    ...(entry.MessageAttributes ? { attributes: entry.MessageAttributes } : {}),
    ...(entry.DelaySeconds === undefined
      ? {}
      : { delaySeconds: integerBetween("DelaySeconds", entry.DelaySeconds, 0, 900) }),
    ...(traceHeader ? { traceHeader } : {}),
    senderId: `${principal.accessKeyId}:${principal.arn.split("/").at(-1)}`,
  });
  return {
    MessageId: sent.messageId,
    MD5OfMessageBody: sent.bodyMd5,
    ...(sent.attributesMd5 ? { MD5OfMessageAttributes: sent.attributesMd5 } : {}),
  };
}
