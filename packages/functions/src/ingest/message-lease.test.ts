import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { sqsEvent } from "../../test/sqs-event.ts";
import { handler } from "./handler.ts";
import * as MessageLease from "./message-lease.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let sqs: SQSClient;
const QueueUrl = () => JSON.parse(process.env["SST_RESOURCE_Ingest"]!).url as string;

beforeAll(async () => {
  cloud = await startCloud();
  sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  // S3's test event
  await cloud.messages();
});
afterAll(() => cloud.stop());

/** The message, if it becomes visible within the time. */
async function receive(withinMs: number): Promise<SQSRecord | undefined> {
  const end = performance.now() + withinMs;
  do {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: QueueUrl(),
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
      }),
    );
    const [message] = Messages;
    if (message) {
      const [record] = sqsEvent(message.Body!).Records;
      const attributes = { ...record!.attributes, ...message.Attributes };
      return { ...record!, receiptHandle: message.ReceiptHandle!, attributes };
    }
    await sleep(50);
  } while (performance.now() < end);
  return undefined;
}

const send = (body: string) =>
  sqs.send(new SendMessageCommand({ QueueUrl: QueueUrl(), MessageBody: body }));

test("a message that fails comes back after one second, then after two", async () => {
  await send("no JSON");
  for (const seconds of [1, 2]) {
    const record = await receive(0);
    expect((await handler({ Records: [record!] })).batchItemFailures).toHaveLength(1);
    expect(await receive((seconds - 0.5) * 1000)).toBeUndefined();
    await sleep(500);
  }
  const third = await receive(1000);
  expect(third?.attributes.ApproximateReceiveCount).toBe("3");
  const { receiptHandle: ReceiptHandle } = third!;
  await sqs.send(new DeleteMessageCommand({ QueueUrl: QueueUrl(), ReceiptHandle }));
});

test("a message is hidden while a process works on it, and comes back ten seconds after it was killed", async () => {
  await send("a killed process");
  const record = await receive(0);
  const lease = MessageLease.take(record!);
  expect(await receive(12_000)).toBeUndefined();
  // the same as a kill: nothing renews it any more
  lease.end();
  const ended = performance.now();
  expect(await receive(11_000)).toBeDefined();
  // the last renewal was up to three seconds ago
  expect(performance.now() - ended).toBeGreaterThan(6_000);
});

test("twenty attempts take most of an hour, so that an outage of AWS costs no message", () => {
  const delays = Array.from({ length: 19 }, (_, index) => MessageLease.delaySeconds(index + 1));
  expect(delays.slice(0, 5)).toEqual([1, 2, 4, 8, 16]);
  const total = delays.reduce((sum, seconds) => sum + seconds, 0);
  expect(total).toBeGreaterThan(55 * 60);
});
