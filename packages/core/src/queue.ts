import type { SQSClient } from "@aws-sdk/client-sqs";

import { Resource } from "sst/resource";

import type { QueueDepth } from "./admin.schema.ts";

/** The limit of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_BATCH_MESSAGES = 10;

let sqsClient: SQSClient | undefined;

/** Sends a command to the ingest queue, behind the uploads that wait there. It is delivered at least once. */
export async function send(command: object): Promise<void> {
  const { SendMessageCommand, client } = await sdk();
  await client.send(
    new SendMessageCommand({ QueueUrl: Resource.Ingest.url, MessageBody: JSON.stringify(command) }),
  );
}

/** Sends many commands to the ingest queue, ten in a request. Rejects if any was not sent; then others may have been sent. */
export async function sendMany(commands: object[]): Promise<void> {
  const { SendMessageBatchCommand, client } = await sdk();
  for (let first = 0; first < commands.length; first += MAX_BATCH_MESSAGES) {
    const batch = commands.slice(first, first + MAX_BATCH_MESSAGES);
    const Entries = batch.map((command, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(command),
    }));
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: Resource.Ingest.url, Entries }),
    );
    // the caller may send all of them again: ingest reaches the same result when a command comes twice
    if (Failed.length > 0)
      throw new Error(
        `SQS did not take ${Failed.length} of ${Entries.length} commands: ${Failed[0]!.Message}`,
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
      throwOnRequestTimeout: true,
    },
  });
  return { ...commands, client: sqsClient };
}
