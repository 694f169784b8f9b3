import {
  type Action,
  type Input,
  authorizedQueue,
  integerBetween,
  visibilityTimeout,
} from "./action.ts";
import * as Message from "./message.ts";

export const ReceiveMessage: Action = async (call) => {
  const { arn, receiveWaitSeconds } = authorizedQueue(call, "ReceiveMessage");
  const { input, queues, signal } = call;
  const max = integerBetween("MaxNumberOfMessages", input.MaxNumberOfMessages ?? 1, 1, 10);
  const waitSeconds = integerBetween(
    "WaitTimeSeconds",
    input.WaitTimeSeconds ?? receiveWaitSeconds,
    0,
    20,
  );
  const visibilitySeconds =
    input.VisibilityTimeout === undefined ? undefined : visibilityTimeout(input.VisibilityTimeout);
  const messages = await queues.poll(arn, { max, waitSeconds, visibilitySeconds, signal });
  return {
    result: messages.length > 0 ? { Messages: messages.map((one) => describe(one, input)) } : {},
    undo: () => queues.undoReceive(messages.map(({ receiptHandle }) => receiptHandle)),
  };
};

function describe(message: Message.Message, input: Input): object {
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
