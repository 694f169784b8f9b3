import type { SQSClient } from "@aws-sdk/client-sqs";

import { Resource } from "sst/resource";

/** What waits in a queue: to be given out, given out, given out later. SQS counts by eye. */
export type Depth = { waiting: number; inFlight: number; delayed: number };

let connected: SQSClient | undefined;

/** Puts a command behind the uploads that wait for ingest. It is handed on at least once. */
export async function send(command: object): Promise<void> {
  const { SendMessageCommand, client } = await sdk();
  await client.send(
    new SendMessageCommand({ QueueUrl: Resource.Ingest.url, MessageBody: JSON.stringify(command) }),
  );
}

/** The same for many, ten at a time. */
export async function sendAll(commands: object[]): Promise<void> {
  const { SendMessageBatchCommand, client } = await sdk();
  for (let first = 0; first < commands.length; first += 10) {
    const Entries = commands.slice(first, first + 10).map((command, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(command),
    }));
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: Resource.Ingest.url, Entries }),
    );
    // sent twice is done twice to the same end
    if (Failed.length > 0)
      throw new Error(`${Failed.length} commands were not sent: ${Failed[0]!.Message}`);
  }
}

export async function depth(url: string): Promise<Depth> {
  const attributes = await attributesOf(url);
  const number = (suffix: string) =>
    Number(attributes[`ApproximateNumberOfMessages${suffix}`] ?? "0");
  return { waiting: number(""), inFlight: number("NotVisible"), delayed: number("Delayed") };
}

/** Has SQS move everything that is in one queue to another, in the background. A queue is moved once at a time. */
export async function move(from: string, to: string): Promise<"started" | "running"> {
  const { StartMessageMoveTaskCommand, client } = await sdk();
  const [source, destination] = await Promise.all([from, to].map(attributesOf));
  try {
    const command = new StartMessageMoveTaskCommand({
      SourceArn: source!["QueueArn"],
      // not left to SQS, which would not know of a message that was put here by hand
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

async function attributesOf(QueueUrl: string): Promise<Record<string, string>> {
  const { GetQueueAttributesCommand, client } = await sdk();
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
  );
  return Attributes;
}

async function sdk() {
  const { SQSClient, ...commands } = await import("./queue.sdk.ts");
  connected ??= new SQSClient({
    // a queue's address names AWS also where the queue is not, and the SDK would go there past AWS_ENDPOINT_URL_SQS:
    // https://github.com/aws/aws-sdk-js-v3/blob/main/packages/middleware-sdk-sqs/src/queue-url.ts
    useQueueUrlAsEndpoint: false,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    },
  });
  return { ...commands, client: connected };
}
