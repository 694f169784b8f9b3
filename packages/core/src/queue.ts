import type { SQSClient } from "@aws-sdk/client-sqs";

import type { QueueDepth } from "./admin.schema.ts";
import * as Unavailable from "./unavailable.ts";

/** The limit of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_BATCH_MESSAGES = 10;

let sqsClient: SQSClient | undefined;

/** The body of a message, which is sent as JSON, and after how many seconds (at most 900) it is delivered. */
export type Message = { body: object; delaySeconds?: number };

/** Sends messages to the queue with this URL, ten in a request; each is delivered at least once. Rejects if any was not sent; then others may have been sent. */
export async function send(url: string, messages: Message[]): Promise<void> {
  const { SendMessageBatchCommand, client } = await sdk();
  for (let first = 0; first < messages.length; first += MAX_BATCH_MESSAGES) {
    const batch = messages.slice(first, first + MAX_BATCH_MESSAGES);
    const Entries = batch.map(({ body, delaySeconds }, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(body),
      DelaySeconds: delaySeconds,
    }));
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: url, Entries }),
    );
    // the caller may send all of them again: ingest reaches the same result when a command comes twice
    if (Failed.length > 0)
      throw Unavailable.create(
        new Error(
          `SQS did not take ${Failed.length} of ${Entries.length} messages: ${Failed[0]!.Message}`,
        ),
      );
  }
}

/** The depth of the queue with this URL. */
export async function getDepth(url: string): Promise<QueueDepth> {
  const attributes = await getAttributes(url);
  const number = (suffix: string) =>
    Number(attributes[`ApproximateNumberOfMessages${suffix}`] ?? "0");
  return { waiting: number(""), inFlight: number("NotVisible"), delayed: number("Delayed") };
}

/** Has SQS move all messages of the queue `from` to the queue `to` (URLs), in the background. `running` if it already does: a queue has one such task at a time. */
export async function startMove(from: string, to: string): Promise<"started" | "running"> {
  const { StartMessageMoveTaskCommand, client } = await sdk();
  const [source, destination] = await Promise.all([from, to].map(getAttributes));
  try {
    const command = new StartMessageMoveTaskCommand({
      SourceArn: source!["QueueArn"],
      // without it SQS moves each message to its own source queue, which a message that was sent here directly has not
      DestinationArn: destination!["QueueArn"],
    });
    await client.send(command);
    return "started";
  } catch (error) {
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    if (/UnsupportedOperation/.test((error as Error).name)) return "running";
    throw error;
  }
}

async function getAttributes(QueueUrl: string): Promise<Record<string, string>> {
  const { GetQueueAttributesCommand, client } = await sdk();
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
  );
  return Attributes;
}

async function sdk() {
  const { SQSClient, ...commands } = await import("./queue.sdk.ts");
  sqsClient ??= new SQSClient({
    // a queue's URL names AWS also for a local queue, and the SDK would send there instead of to AWS_ENDPOINT_URL_SQS:
    // https://github.com/aws/aws-sdk-js-v3/blob/main/packages/middleware-sdk-sqs/src/queue-url.ts
    useQueueUrlAsEndpoint: false,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      // also ends a response that stops in its middle; then the SDK tries again
      socketTimeout: 5_000,
      throwOnRequestTimeout: true,
    },
  });
  return { ...commands, client: sqsClient };
}
