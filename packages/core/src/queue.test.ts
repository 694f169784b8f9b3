import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { Resource } from "sst/resource";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../test/cloud.ts";
import * as Queue from "./queue.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const empty = { waiting: 0, inFlight: 0, delayed: 0 };

const send = (...bodies: object[]) =>
  Queue.send(
    Resource.Ingest.url,
    bodies.map((body) => ({ body })),
  );

test("every message that is sent arrives as JSON, also more than SQS takes in one request", async () => {
  const before = (await cloud.messages()).length;
  await send({ kind: "single" });
  const commands = Array.from({ length: 23 }, (_, n) => ({ kind: "many", n }));
  await send(...commands);
  await send();
  const arrived = (await cloud.messages()).slice(before) as { kind: string; n?: number }[];
  expect(arrived.toSorted((a, b) => (a.n ?? -1) - (b.n ?? -1))).toEqual([
    { kind: "single" },
    ...commands,
  ]);
});

test("the depth of a queue is the number of messages that wait in it, and of those that are delayed", async () => {
  expect(await Queue.getDepth(Resource.Ingest.url)).toMatchObject({ waiting: 0, delayed: 0 });
  await Queue.send(Resource.Ingest.url, [
    { body: { n: 1 } },
    { body: { n: 2 } },
    { body: { n: 3 }, delaySeconds: 900 },
  ]);
  expect(await Queue.getDepth(Resource.Ingest.url)).toMatchObject({ waiting: 2, delayed: 1 });
  await cloud.messages();
});

test("a move takes all messages of one queue to the other, in the background", async () => {
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const before = (await cloud.messages()).length;
  for (const n of [1, 2, 3])
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: Resource.IngestDead.url,
        MessageBody: JSON.stringify({ n }),
      }),
    );
  expect(await Queue.getDepth(Resource.IngestDead.url)).toEqual({ ...empty, waiting: 3 });
  expect(await Queue.startMove(Resource.IngestDead.url, Resource.Ingest.url)).toBe("started");
  await vi.waitFor(async () =>
    expect(await Queue.getDepth(Resource.IngestDead.url)).toEqual(empty),
  );
  await vi.waitFor(async () =>
    expect((await cloud.messages()).slice(before)).toEqual(
      expect.arrayContaining([{ n: 1 }, { n: 2 }, { n: 3 }]),
    ),
  );
});
