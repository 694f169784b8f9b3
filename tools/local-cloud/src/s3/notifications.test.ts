import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";

import type { ResourceInFile } from "../graph/graph-file.ts";
import { createAsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import { createNotifications } from "./notifications.ts";
import {
  account,
  bucketArn,
  queue,
  queueArn,
  queuePolicy,
  createTestQueues,
  region,
  resource,
} from "../sqs/queues.fixture.ts";

const functionArn = `arn:aws:lambda:${region}:${account}:function:thumb`;
const notification = (inputs: object, name = "notification") =>
  resource("aws:s3/bucketNotification:BucketNotification", name, { bucket: "pictures", ...inputs });

const toQueue = (more: object = {}) => ({
  id: "Uploaded",
  queueArn: queueArn("jobs"),
  events: ["s3:ObjectCreated:*"],
  filterPrefix: "uploads/",
  ...more,
});

const allowBucket = (SourceArn = bucketArn) =>
  queuePolicy("jobs", {
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn("jobs"),
    Condition: {
      ArnEquals: { "aws:SourceArn": SourceArn },
      StringEquals: { "aws:SourceAccount": account },
    },
  });

const record = (eventName: string, key: string) => ({
  eventName,
  s3: { bucket: { name: "pictures" }, object: { key } },
});

function startWith(resources: ResourceInFile[], db?: DatabaseSync) {
  const made = createTestQueues([queue("jobs"), ...resources], db);
  const asynchronous = createAsynchronousEvents(made.db, made.clock);
  const notifications = createNotifications({ ...made, asynchronous });
  const notify: typeof notifications.notify = (bucket, change) =>
    notifications.notify(bucket, change);
  const received = () =>
    made.queues
      .receive(queueArn("jobs"), 10)
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  return { ...made, asynchronous, notify, received };
}

test("a queue receives one test event, then the events and keys of its filter", () => {
  const { notify, received } = startWith([
    notification({ queues: [toQueue({ filterSuffix: ".jpg" })] }),
    allowBucket(),
  ]);
  expect(received()).toMatchObject([{ Event: "s3:TestEvent", Bucket: "pictures" }]);
  notify("pictures", record("ObjectCreated:Post", "uploads/a+b%C3%A9.jpg"));
  notify("pictures", record("ObjectRemoved:Delete", "uploads/a.jpg"));
  notify("pictures", record("ObjectCreated:Put", "other/a.jpg"));
  notify("pictures", record("ObjectCreated:Put", "uploads/a.png"));
  notify("elsewhere", record("ObjectCreated:Put", "uploads/a.jpg"));
  expect(received()).toEqual([
    {
      Records: [
        {
          eventName: "ObjectCreated:Post",
          s3: {
            s3SchemaVersion: "1.0",
            configurationId: "Uploaded",
            bucket: { name: "pictures" },
            object: { key: "uploads/a+b%C3%A9.jpg" },
          },
        },
      ],
    },
  ]);
});

test("a filter is compared with the key before it is encoded", () => {
  const { notify, received } = startWith([
    notification({ queues: [toQueue({ filterPrefix: "my pictures/é" })] }),
    allowBucket(),
  ]);
  received();
  notify("pictures", record("ObjectCreated:Put", "my+pictures/%C3%A9t%C3%A9.jpg"));
  expect(received()).toHaveLength(1);
});

test("the test event is sent once, not at every start", () => {
  const db = new DatabaseSync(":memory:");
  const resources = [notification({ queues: [toQueue()] }), allowBucket()];
  expect(startWith(resources, db).received()).toHaveLength(1);
  expect(startWith(resources, db).received()).toEqual([]);
});

test("an event is sent in the transaction of the change", () => {
  const { notify, received, db } = startWith([
    notification({ queues: [toQueue()] }),
    allowBucket(),
  ]);
  received();
  db.exec("BEGIN");
  notify("pictures", record("ObjectCreated:Put", "uploads/a.jpg"));
  db.exec("ROLLBACK");
  expect(received()).toEqual([]);
});

test("a queue whose policy does not allow the bucket stops the start, and the error names both", () => {
  const message =
    "The policy of the queue jobs does not allow s3.amazonaws.com to send notifications of the bucket pictures.";
  const resources = [notification({ queues: [toQueue()] })];
  expect(() => startWith(resources)).toThrow(message);
  expect(() => startWith([...resources, allowBucket("arn:aws:s3:::another")])).toThrow(message);
});

test("a function's event is kept until it is processed, and a retry waits until it is due", async () => {
  const permission = resource("aws:lambda/permission:Permission", "permission", {
    action: "lambda:InvokeFunction",
    function: "thumb",
    principal: "s3.amazonaws.com",
    sourceArn: bucketArn,
  });
  const fn = resource(
    "aws:lambda/function:Function",
    "thumb",
    { role: "role" },
    { arn: functionArn },
  );
  const target = { lambdaFunctionArn: functionArn, events: ["s3:ObjectCreated:Put"] };
  const toFunction = notification({ lambdaFunctions: [target] });
  expect(() => startWith([toFunction, fn])).toThrow(
    "The function thumb does not allow s3.amazonaws.com to invoke it for the bucket pictures",
  );

  const { notify, asynchronous, clock } = startWith([toFunction, fn, permission]);
  let accepted = 0;
  asynchronous.onAccept(() => accepted++);
  notify("pictures", record("ObjectCreated:Put", "a.jpg"));
  await turn();
  expect(accepted).toBe(1);
  const [event] = asynchronous.due(10);
  expect(event).toMatchObject({ functionArn, attempts: 0 });
  expect(JSON.parse(event!.payload)).toMatchObject({
    Records: [{ eventName: "ObjectCreated:Put" }],
  });
  asynchronous.postpone(event!.id, 60_000, true);
  expect(asynchronous.due(10)).toEqual([]);
  await clock.advance(60_000);
  expect(asynchronous.due(10)).toMatchObject([{ id: event!.id, attempts: 1 }]);
  asynchronous.finish(event!.id);
  expect(asynchronous.nextDue()).toBeUndefined();
});

test("rules with other suffixes or other events do not overlap", () => {
  const jpeg = toQueue({ id: "Jpeg", filterSuffix: ".jpg" });
  const png = toQueue({ id: "Png", filterSuffix: ".png" });
  const removed = toQueue({ id: "Removed", events: ["s3:ObjectRemoved:*"] });
  const { notify, received } = startWith([
    notification({ queues: [jpeg, png, removed] }),
    allowBucket(),
  ]);
  received();
  notify("pictures", record("ObjectCreated:Put", "uploads/a.png"));
  expect(received()).toMatchObject([{ Records: [{ s3: { configurationId: "Png" } }] }]);
});

test("notification rules that S3 would refuse stop the start", () => {
  const start =
    (...resources: ResourceInFile[]) =>
    () =>
      startWith([...resources, allowBucket()]);
  expect(
    start(notification({ queues: [toQueue(), toQueue({ id: "Two", filterPrefix: "uploads/a" })] })),
  ).toThrow("Uploaded and Two of the bucket pictures overlap");
  expect(start(notification({}, "a"), notification({}, "b"))).toThrow("several notification");
});
