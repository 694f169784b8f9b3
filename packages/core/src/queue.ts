import type { SQSClient } from "@aws-sdk/client-sqs";

import { Resource } from "sst/resource";

let connected: SQSClient | undefined;

/** Puts a command behind the uploads that wait for ingest. It is handed on at least once. */
export async function send(command: object): Promise<void> {
  const { SQSClient, SendMessageCommand } = await import("@aws-sdk/client-sqs");
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
  await connected.send(
    new SendMessageCommand({ QueueUrl: Resource.Ingest.url, MessageBody: JSON.stringify(command) }),
  );
}
