import { afterEach, expect, test } from "vitest";

import { patiently } from "../../../test/poll-options.ts";
import { functionArn } from "../../../test/functions.ts";
import { startTestMapping, throttled } from "../event-source-mapping/mapping.fixture.ts";
import { queueArn } from "../../sqs/queues.fixture.ts";

let world: Awaited<ReturnType<typeof startTestMapping>>;
afterEach(() => world.stop());

const toDead = { destinationConfig: { onFailure: { destination: queueArn("dead") } } };
const accept = (event: object) =>
  world.asynchronous.accept(functionArn("job"), JSON.stringify(event));
const fails = () => {
  throw new Error("always");
};

test("an accepted event invokes the function at once, one time", async () => {
  world = await startTestMapping({ handler: () => null });
  accept({ a: 1 });
  await expect.poll(() => world.calls, patiently).toEqual([{ a: 1 }]);
  await world.pass(400, 20);
  expect(world.calls).toHaveLength(1);
});

test("a failed event is retried after one minute and after two more, then its record goes to the destination", async () => {
  world = await startTestMapping({ handler: fails, eventConfig: toDead });
  const id = accept({ a: 1 });
  await expect.poll(() => world.calls.length, patiently).toBe(1);
  await world.pass(50, 10);
  expect(world.calls).toHaveLength(1);
  await world.pass(12, 4);
  await expect.poll(() => world.calls.length, patiently).toBe(2);
  await world.pass(105, 15);
  expect(world.calls).toHaveLength(2);
  await world.pass(20, 5);
  await expect.poll(() => world.calls.length, patiently).toBe(3);
  await expect.poll(() => world.counts("dead").visible, patiently).toBe(1);
  await world.pass(400, 50);
  expect(world.calls).toHaveLength(3);
  const [record] = world.queues.receive(queueArn("dead"), 10);
  expect(JSON.parse(record!.body)).toEqual({
    version: "1.0",
    timestamp: expect.any(String),
    requestContext: {
      requestId: id,
      functionArn: `${functionArn("job")}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    },
    requestPayload: { a: 1 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: { errorType: "Error", errorMessage: "Error: always" },
  });
});

test("an event that is throttled until its maximum age is discarded", async () => {
  world = await startTestMapping({
    handler: () => throttled,
    eventConfig: { maximumEventAgeInSeconds: 60, ...toDead },
  });
  accept({});
  await world.pass(150, 5);
  await expect.poll(() => world.counts("dead").visible, patiently).toBe(1);
  const [record] = world.queues.receive(queueArn("dead"), 10);
  expect(JSON.parse(record!.body).requestContext.condition).toBe("EventAgeExceeded");
});

test("an event has as many retries as configured, and its dead letter is the event itself", async () => {
  world = await startTestMapping({
    handler: fails,
    eventConfig: { maximumRetryAttempts: 0 },
    inputs: { deadLetterConfig: { targetArn: queueArn("dead") } },
  });
  const id = accept({ a: 1 });
  await expect.poll(() => world.counts("dead").visible, patiently).toBe(1);
  const [letter] = world.queues.receive(queueArn("dead"), 10);
  expect(letter).toMatchObject({
    body: '{"a":1}',
    messageAttributes: {
      RequestID: { StringValue: id },
      ErrorMessage: { StringValue: "Error: always" },
    },
  });
  expect(world.calls).toHaveLength(1);
});

test("the record of a success goes to the success destination", async () => {
  world = await startTestMapping({
    handler: () => ({ done: true }),
    eventConfig: { destinationConfig: { onSuccess: { destination: queueArn("jobs") } } },
  });
  accept({ a: 1 });
  await expect.poll(() => world.counts("jobs").visible, patiently).toBe(1);
  const [record] = world.queues.receive(queueArn("jobs"), 10);
  expect(JSON.parse(record!.body)).toMatchObject({
    requestContext: { condition: "Success", approximateInvokeCount: 1 },
    responsePayload: { done: true },
  });
});

test("with a reserved concurrency of 0 an event goes to the failure destination at once", async () => {
  world = await startTestMapping({
    handler: () => throttled,
    inputs: { reservedConcurrentExecutions: 0 },
    eventConfig: toDead,
  });
  accept({});
  await expect.poll(() => world.counts("dead").visible, patiently).toBe(1);
  expect(world.calls).toHaveLength(1);
});

test("an event that was being processed at a kill is processed again", async () => {
  world = await startTestMapping({ handler: () => new Promise(() => {}) });
  accept({ a: 1 });
  await expect.poll(() => world.calls.length, patiently).toBe(1);
  const { folder } = world;
  await world.stop({ keep: true });
  world = await startTestMapping({ handler: () => null, folder });
  await expect.poll(() => world.calls, patiently).toEqual([{ a: 1 }]);
});

test("a destination that the role may not send to gets nothing, and the log names the refusal", async () => {
  world = await startTestMapping({
    handler: fails,
    eventConfig: { maximumRetryAttempts: 0, ...toDead },
    rights: [],
  });
  accept({});
  await expect
    .poll(() => world.log.lines.join(), patiently)
    .toContain(`denied job sqs:SendMessage ${queueArn("dead")}`);
  expect(world.counts("dead").visible).toBe(0);
});
