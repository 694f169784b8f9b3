import { afterEach, expect, test } from "vitest";

import { patiently } from "../../../test/poll-options.ts";
import { startTestMapping, throttled } from "./mapping.fixture.ts";
import { queue, queueArn } from "../../sqs/queues.fixture.ts";

let world: Awaited<ReturnType<typeof startTestMapping>>;
afterEach(() => world.stop());

const jobs = [
  queue("jobs", {
    visibilityTimeoutSeconds: 60,
    redrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn("dead"), maxReceiveCount: 3 }),
  }),
  queue("dead"),
];
const reports = { functionResponseTypes: ["ReportBatchItemFailures"] };
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
type SqsEvent = {
  Records: { body: string; messageId: string; attributes: Record<string, string> }[];
};
const bodies = (event: SqsEvent) => event.Records.map(({ body }) => body);

test("a message reaches the function within 20 ms in the form of AWS, and is deleted afterwards", async () => {
  let arrived = 0;
  world = await startTestMapping({
    mapping: {},
    queues: jobs,
    handler: () => void (arrived = performance.now()),
  });
  const times: number[] = [];
  for (let at = 1; at <= 5; at++) {
    const sent = performance.now();
    world.queues.send(queueArn("jobs"), "hello", {
      attributes: { kind: { DataType: "String", StringValue: "greeting" } },
      traceHeader: "Root=1-2-3",
      senderId: "AIDA",
    });
    await expect.poll(() => world.calls.length, patiently).toBe(at);
    times.push(arrived - sent);
  }
  // the best of five: the machine may be busy with something else
  expect(Math.min(...times)).toBeLessThan(20);
  expect(world.calls[0]).toEqual({
    Records: [
      {
        messageId: expect.stringMatching(/^[\w-]{36}$/),
        receiptHandle: expect.any(String),
        body: "hello",
        attributes: {
          ApproximateReceiveCount: "1",
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: "AIDA",
          AWSTraceHeader: "Root=1-2-3",
        },
        messageAttributes: {
          kind: {
            stringValue: "greeting",
            stringListValues: [],
            binaryListValues: [],
            dataType: "String",
          },
        },
        md5OfBody: "5d41402abc4b2a76b9719d911017c592",
        eventSource: "aws:sqs",
        eventSourceARN: queueArn("jobs"),
        awsRegion: "eu-central-1",
      },
    ],
  });
  await expect
    .poll(() => world.counts("jobs"), patiently)
    .toEqual({ visible: 0, inFlight: 0, delayed: 0 });
});

test("of a batch of ten only the reported message is received again", async () => {
  world = await startTestMapping({
    mapping: { ...reports, batchSize: 10 },
    queues: jobs,
    handler: (event: SqsEvent, at) =>
      at === 1 && { batchItemFailures: [{ itemIdentifier: event.Records[3]!.messageId }] },
  });
  world.send(...numbers(1, 10));
  await expect.poll(() => world.counts("jobs").inFlight, patiently).toBe(1);
  await world.pass(50, 10);
  expect(world.calls).toHaveLength(1);
  await world.pass(11);
  await expect.poll(() => world.calls.length, patiently).toBe(2);
  expect(bodies(world.calls[1])).toEqual(["4"]);
  expect(world.calls[1].Records[0].attributes.ApproximateReceiveCount).toBe("2");
});

test("after an error all ten messages are received again, and after maxReceiveCount they are dead letters", async () => {
  world = await startTestMapping({
    mapping: {},
    queues: jobs,
    handler() {
      throw new Error("always");
    },
  });
  world.send(...numbers(1, 10));
  for (const received of [10, 20, 30]) {
    await expect.poll(() => world.calls.flatMap(bodies).length, patiently).toBe(received);
    await expect.poll(() => world.counts("jobs").inFlight, patiently).toBe(10);
    await world.pass(61, 61);
  }
  await expect.poll(() => world.counts("dead").visible, patiently).toBe(10);
  expect(world.counts("jobs")).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  expect(world.calls.flatMap(bodies).filter((body) => body === "7")).toHaveLength(3);
});

test("a failed batch is hidden until the end of its visibility timeout", async () => {
  world = await startTestMapping({
    mapping: {},
    queues: jobs,
    handler(_event, at) {
      if (at === 1) throw new Error("Task timed out after 3.00 seconds");
    },
  });
  world.send("a");
  await expect.poll(() => world.calls.length, patiently).toBe(1);
  await world.pass(50, 10);
  expect(world.calls).toHaveLength(1);
  await world.pass(11);
  await expect.poll(() => world.calls.length, patiently).toBe(2);
});

test.each([
  ["nothing", null, 0],
  ["no failures", { batchItemFailures: [] }, 0],
  ["null for the failures", { batchItemFailures: null }, 0],
  ["an object of its own", { ok: true }, 0],
  ["an empty identifier", { batchItemFailures: [{ itemIdentifier: "" }] }, 3],
  ["no identifier", { batchItemFailures: [{ id: "a" }] }, 3],
  ["an identifier of another batch", { batchItemFailures: [{ itemIdentifier: "x" }] }, 3],
  ["a text", "done", 3],
])("a function that answers %s", async (_name, answer, failed) => {
  world = await startTestMapping({ mapping: reports, queues: jobs, handler: () => answer });
  world.send("a", "b", "c");
  await expect.poll(() => world.calls.length, patiently).toBe(1);
  await expect.poll(() => world.counts("jobs").inFlight, patiently).toBe(failed);
});

test("without ReportBatchItemFailures the result of a handler is ignored", async () => {
  const answer = (event: SqsEvent) => ({
    batchItemFailures: [{ itemIdentifier: event.Records[0]!.messageId }],
  });
  world = await startTestMapping({ mapping: {}, queues: jobs, handler: answer });
  world.send("a");
  await expect.poll(() => world.calls.length, patiently).toBe(1);
  await expect.poll(() => world.counts("jobs").inFlight, patiently).toBe(0);
});

test("a batching window collects messages until the batch is full or the window is over", async () => {
  world = await startTestMapping({
    mapping: {
      batchSize: 3,
      maximumBatchingWindowInSeconds: 5,
      scalingConfig: { maximumConcurrency: 1 },
    },
    queues: jobs,
    handler: () => null,
  });
  world.send("a");
  await world.pass(1);
  world.send("b");
  await world.pass(3);
  expect(world.calls).toHaveLength(0);
  await world.pass(2);
  expect(world.calls.map(bodies)).toEqual([["a", "b"]]);
  world.send("c", "d", "e", "f");
  await expect.poll(() => world.calls.length, patiently).toBe(2);
  expect(bodies(world.calls[1])).toEqual(["c", "d", "e"]);
});

test("at most as many batches as the maximum concurrency are processed at once", async () => {
  let now = 0;
  let most = 0;
  world = await startTestMapping({
    mapping: { batchSize: 1, scalingConfig: { maximumConcurrency: 2 } },
    queues: jobs,
    async handler() {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
    },
  });
  world.send(...numbers(1, 20));
  await expect.poll(() => world.calls.length, patiently).toBe(20);
  expect(most).toBe(2);
});

test("a batch has at most 6 MB, and messages that do not fit count as never received", async () => {
  world = await startTestMapping({ mapping: {}, queues: jobs, handler: () => null });
  world.send(...Array.from({ length: 8 }, () => "x".repeat(1_000_000)));
  await expect.poll(() => world.calls.flatMap(bodies).length, patiently).toBe(8);
  for (const event of world.calls) expect(JSON.stringify(event).length).toBeLessThan(6_291_456);
  expect(
    world.calls.flatMap((event) =>
      event.Records.map(
        (record: SqsEvent["Records"][0]) => record.attributes["ApproximateReceiveCount"],
      ),
    ),
  ).toEqual(Array(8).fill("1"));
});

test("messages that do not match the filter are deleted", async () => {
  const pattern = JSON.stringify({
    body: { kind: ["photo", { prefix: "vid" }], size: [{ numeric: [">", 10, "<=", 20] }] },
  });
  world = await startTestMapping({
    mapping: { filterCriteria: { filters: [{ pattern }] } },
    queues: jobs,
    handler: () => null,
  });
  world.send(
    '{"kind":"photo","size":20}',
    '{"kind":"photo","size":21}',
    '{"kind":"video","size":11}',
    '{"kind":"note","size":11}',
    "text",
  );
  await expect.poll(() => world.calls.flatMap(bodies).length, patiently).toBe(2);
  expect(world.calls.flatMap(bodies)).toEqual([
    '{"kind":"photo","size":20}',
    '{"kind":"video","size":11}',
  ]);
  await expect
    .poll(() => world.counts("jobs"), patiently)
    .toEqual({ visible: 0, inFlight: 0, delayed: 0 });
});

test("a throttled batch stays in the queue", async () => {
  world = await startTestMapping({
    mapping: {},
    queues: jobs,
    handler: (_event, at) => (at < 3 ? throttled : null),
  });
  world.send("a");
  for (const calls of [1, 2, 3]) {
    await expect.poll(() => world.calls.length, patiently).toBe(calls);
    await world.pass(61, 61);
  }
  expect(world.counts("dead").visible).toBe(0);
});

test("messages that were being processed at a kill are received again at once, as if for the first time", async () => {
  world = await startTestMapping({
    mapping: {},
    queues: jobs,
    handler: () => new Promise(() => {}),
  });
  world.send("a", "b");
  await expect.poll(() => world.counts("jobs").inFlight, patiently).toBe(2);
  const { folder } = world;
  await world.stop({ keep: true });
  world = await startTestMapping({ mapping: {}, queues: jobs, handler: () => null, folder });
  await expect.poll(() => world.calls.flatMap(bodies), patiently).toEqual(["a", "b"]);
  expect(world.calls[0].Records[0].attributes.ApproximateReceiveCount).toBe("1");
});

test("without the permission to receive nothing is read, and the log names the missing permission", async () => {
  const rights = [
    {
      Effect: "Allow",
      Action: ["sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      Resource: queueArn("jobs"),
    },
  ];
  world = await startTestMapping({ mapping: {}, queues: jobs, handler: () => null, rights });
  world.send("a");
  await world.pass(5);
  expect(world.calls).toEqual([]);
  expect(world.log.lines.join()).toContain(`denied job sqs:ReceiveMessage ${queueArn("jobs")}`);
});
