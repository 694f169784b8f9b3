import { createHash } from "node:crypto";

import { ServiceError } from "../service-error.ts";

/** A message as one receive returned it; `receiptHandle` belongs to that receive only. */
export type Message = {
  messageId: string;
  receiptHandle: string;
  body: string;
  bodyMd5: string;
  /** System attributes such as SentTimestamp and ApproximateReceiveCount, all as text. */
  attributes: Record<string, string>;
  messageAttributes: MessageAttributes;
};

export type MessageAttributes = Record<
  string,
  { DataType: string; StringValue?: string; BinaryValue?: string }
>;

export type SendOptions = {
  attributes?: MessageAttributes;
  delaySeconds?: number;
  /** `X-Amzn-Trace-Id` of the sender. */
  traceHeader?: string;
  /** The id of the options role session or service. */
  senderId?: string;
};

export type SendResult = { messageId: string; bodyMd5: string; attributesMd5?: string };

export const md5 = (text: string | Buffer) => createHash("md5").update(text).digest("hex");

/** Returns the digest that SQS sends back, undefined without attributes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation */
export function attributesMd5(attributes: MessageAttributes): string | undefined {
  const parts = Object.entries(attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, { DataType, StringValue, BinaryValue }]) => {
      const isBinary = DataType.startsWith("Binary");
      const value = isBinary ? Buffer.from(BinaryValue ?? "", "base64") : (StringValue ?? "");
      return [
        withLengthPrefix(name),
        withLengthPrefix(DataType),
        Buffer.of(isBinary ? 2 : 1),
        withLengthPrefix(value),
      ];
    });
  return parts.length > 0 ? md5(Buffer.concat(parts)) : undefined;
}

/** @throws ServiceError for a body that SQS rejects: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export function assertValidMessage(
  body: unknown,
  options: SendOptions,
  maxBytes: number,
): asserts body is string {
  if (typeof body !== "string" || body === "")
    throw new ServiceError(
      "com.amazon.coral.service#MissingRequiredParameterException",
      "The request must contain the parameter MessageBody.",
    );
  // oxlint-disable-next-line no-control-regex -- the characters that XML 1.0, and therefore SQS, does not allow
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(body))
    throw new ServiceError(
      "com.amazonaws.sqs#InvalidMessageContents",
      "Invalid characters were found in the message body.",
    );
  const attributes = Object.entries(options.attributes ?? {});
  for (const [name, attribute] of attributes)
    // a client may send anything: a name alone, or no object
    if (typeof attribute?.DataType !== "string" || attribute.DataType === "")
      throw invalidParameter(
        `The message attribute '${name}' must contain non-empty message attribute type.`,
      );
  const bytes = attributes.reduce(
    (sum, [name, { DataType, StringValue = "", BinaryValue = "" }]) =>
      sum +
      byteLength(name) +
      byteLength(DataType) +
      byteLength(StringValue) +
      byteLength(BinaryValue),
    byteLength(body),
  );
  if (bytes > maxBytes)
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
    );
}

export const invalidParameter = (message: string) =>
  new ServiceError("com.amazon.coral.service#InvalidParameterValueException", message);

const byteLength = (text: string) => Buffer.byteLength(text);

function withLengthPrefix(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}
