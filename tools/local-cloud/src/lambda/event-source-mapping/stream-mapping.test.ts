import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, expect, test } from "vitest";

import { patiently } from "../../../test/poll-options.ts";
import { functionArn } from "../../../test/functions.ts";
import { startTestMapping, streamArn, throttled } from "./mapping.fixture.ts";
import { queueArn, region } from "../../sqs/queues.fixture.ts";

type World = Awaited<ReturnType<typeof startTestMapping>>;
type StreamEvent = {
  Records: {
    eventName: string;
    dynamodb: { SequenceNumber: string; Keys: { pk: { S: string } } };
  }[];
};

let world: World;
afterEach(() => world.stop());

const keys = (event: StreamEvent) => event.Records.map(({ dynamodb }) => dynamodb.Keys.pk.S);
const sequenceOf = (event: StreamEvent, pk: string) =>
  event.Records.find(({ dynamodb }) => dynamodb.Keys.pk.S === pk)!.dynamodb.SequenceNumber;
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

function client({ principals, dynamo }: World) {
  const { accessKeyId, secretAccessKey } = principals.operator;
  return new DynamoDBClient({
    region,
    endpoint: dynamo!.url,
    credentials: { accessKeyId, secretAccessKey },
  });
}

async function put(of: World, ...pks: string[]) {
  const dynamo = client(of);
  for (const pk of pks)
    await dynamo.send(
      new PutItemCommand({ TableName: "things", Item: { pk: { S: pk }, n: { N: "1" } } }),
    );
  dynamo.destroy();
}

/** Writes before the mapping starts, so that the records are one batch. */
async function worldWith(
  pks: string[],
  given: Omit<Parameters<typeof startTestMapping>[0], "table">,
) {
  const before = await startTestMapping({ table: true, handler: () => null });
  await put(before, ...pks);
  await before.stop({ keep: true });
  return startTestMapping({ table: true, folder: before.folder, ...given });
}

test("a change reaches the function within 100 ms as the record of the stream", async () => {
  let arrived = 0;
  world = await startTestMapping({
    table: true,
    mapping: {},
    handler: () => void (arrived = performance.now()),
  });
  const times: number[] = [];
  for (const pk of ["a", "b", "c", "d", "e"]) {
    await put(world, pk);
    const written = performance.now();
    await expect.poll(() => world.calls.flatMap(keys).at(-1), patiently).toBe(pk);
    times.push(arrived - written);
  }
  expect(Math.min(...times)).toBeLessThan(100);
  expect(world.calls[0].Records[0]).toMatchObject({
    eventID: expect.any(String),
    eventName: "INSERT",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "eu-central-1",
    eventSourceARN: streamArn,
    dynamodb: {
      ApproximateCreationDateTime: expect.any(Number),
      Keys: { pk: { S: "a" } },
      NewImage: { pk: { S: "a" }, n: { N: "1" } },
      SequenceNumber: expect.any(String),
      SizeBytes: expect.any(Number),
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
  });
});

test("a write that changes nothing causes no event", async () => {
  world = await startTestMapping({ table: true, mapping: {}, handler: () => null });
  await put(world, "a");
  const same = {
    TableName: "things",
    Key: { pk: { S: "a" } },
    UpdateExpression: "SET n = :n",
    ExpressionAttributeValues: { ":n": { N: "1" } },
  };
  await client(world).send(new UpdateItemCommand(same));
  await put(world, "b");
  await expect.poll(() => world.calls.flatMap(keys), patiently).toEqual(["a", "b"]);
});

test("LATEST is the end of the stream at the first start; a later start continues behind the last success", async () => {
  const mapping = { startingPosition: "LATEST" };
  world = await worldWith(["before"], { mapping, handler: () => null });
  await put(world, "a");
  await expect.poll(() => world.calls.flatMap(keys), patiently).toEqual(["a"]);
  // a mapping that is stopped before the function has returned repeats the record
  await expect
    .poll(() => world.db.prepare("SELECT sequence FROM mapping_checkpoints").all(), patiently)
    .toEqual([{ sequence: sequenceOf(world.calls[0], "a") }]);
  await world.stop({ keep: true });
  const between = await startTestMapping({
    table: true,
    handler: () => null,
    folder: world.folder,
  });
  await put(between, "b", "c");
  await between.stop({ keep: true });
  world = await startTestMapping({
    table: true,
    mapping,
    handler: () => null,
    folder: world.folder,
  });
  await expect.poll(() => world.calls.flatMap(keys), patiently).toEqual(["b", "c"]);
});

test("with bisecting only the failing record is discarded, after a bounded number of calls", async () => {
  const done = new Set<string>();
  world = await worldWith(numbers(1, 100), {
    mapping: {
      batchSize: 100,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 3,
      destinationConfig: { onFailure: { destinationArn: queueArn("dead") } },
    },
    handler(event: StreamEvent) {
      if (keys(event).includes("37")) throw new Error("poison");
      for (const key of keys(event)) done.add(key);
    },
  });
  await expect
    .poll(async () => (await world.pass(10, 5), world.counts("dead").visible), patiently)
    .toBe(1);
  await expect.poll(() => done.size, patiently).toBe(99);
  expect(world.calls[0].Records).toHaveLength(100);
  expect(world.calls.length).toBeLessThan(30);
  expect(world.calls.filter((event) => keys(event).join() === "37")).toHaveLength(4);
  const [letter] = world.queues.receive(queueArn("dead"), 10);
  const sequence = sequenceOf(world.calls[0], "37");
  expect(JSON.parse(letter!.body)).toEqual({
    requestContext: {
      requestId: expect.any(String),
      functionArn: functionArn("job"),
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 4,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: expect.any(String),
    DDBStreamBatchInfo: {
      shardId: expect.stringMatching(/^shardId-/),
      startSequenceNumber: sequence,
      endSequenceNumber: sequence,
      approximateArrivalOfFirstRecord: expect.any(String),
      approximateArrivalOfLastRecord: expect.any(String),
      batchSize: 1,
      streamArn,
    },
  });
});

test("without bisecting and with unlimited retries the shard is blocked until the records are too old", async () => {
  world = await worldWith(["a", "poison"], {
    mapping: { maximumRecordAgeInSeconds: 300 },
    handler(event: StreamEvent) {
      if (keys(event).includes("poison")) throw new Error("poison");
    },
  });
  await world.pass(200, 20);
  await put(world, "behind");
  expect(world.calls.length).toBeGreaterThan(3);
  expect(world.calls.flatMap(keys)).not.toContain("behind");
  await expect
    .poll(async () => (await world.pass(20, 20), world.log.lines.join()), patiently)
    .toContain("2 records discarded, RecordAgeExceeded");
});

test("a record that is written after the clock was advanced is young", async () => {
  const mapping = { maximumRecordAgeInSeconds: 300 };
  world = await startTestMapping({ table: true, mapping, handler: () => null });
  await world.pass(3600, 3600);
  await put(world, "late");
  await expect.poll(() => world.calls.flatMap(keys), patiently).toEqual(["late"]);
});

test("a batch is retried from the lowest sequence number that was reported", async () => {
  world = await worldWith(numbers(1, 30), {
    mapping: { functionResponseTypes: ["ReportBatchItemFailures"] },
    handler(event: StreamEvent, at) {
      if (at === 1)
        return {
          batchItemFailures: ["20", "10"].map((key) => ({
            itemIdentifier: sequenceOf(event, key),
          })),
        };
    },
  });
  await expect.poll(async () => (await world.pass(1), world.calls.length), patiently).toBe(2);
  expect(keys(world.calls[1])).toEqual(numbers(10, 30));
});

test("an empty identifier fails the whole batch", async () => {
  world = await worldWith(["a", "b"], {
    mapping: { functionResponseTypes: ["ReportBatchItemFailures"] },
    handler: (_event, at) => at === 1 && { batchItemFailures: [{ itemIdentifier: "" }] },
  });
  await expect.poll(async () => (await world.pass(1), world.calls.length), patiently).toBe(2);
  expect(keys(world.calls[1])).toEqual(["a", "b"]);
});

test("a batch has at most its size, in order, and a throttled batch is neither lost nor failed", async () => {
  world = await worldWith(numbers(1, 7), {
    mapping: { batchSize: 3, maximumRetryAttempts: 0 },
    handler: (_event, at) => (at === 2 || at === 3 ? throttled : null),
  });
  await expect.poll(async () => (await world.pass(1), world.calls.length), patiently).toBe(5);
  expect(world.calls.map(keys)).toEqual([
    ["1", "2", "3"],
    ["4", "5", "6"],
    ["4", "5", "6"],
    ["4", "5", "6"],
    ["7"],
  ]);
});

test("records that do not match the filter are skipped", async () => {
  const pattern = JSON.stringify({
    eventName: ["INSERT"],
    dynamodb: { Keys: { pk: { S: [{ prefix: "like#" }] } } },
  });
  world = await worldWith(["like#1", "image#1", "like#2"], {
    mapping: { filterCriteria: { filters: [{ pattern }] } },
    handler: () => null,
  });
  await expect.poll(() => world.calls.flatMap(keys), patiently).toEqual(["like#1", "like#2"]);
});
