import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type Principals, createPrincipals } from "../iam/principals.ts";
import { close, listen } from "../listen.ts";
import { silentLog } from "../log.ts";
import {
  account,
  jobsWithDeadLetters,
  queue,
  queueArn,
  queuePolicy,
  queueUrl,
  createTestQueues,
  region,
  role,
  roleArn,
} from "./queues.fixture.ts";
import { createSqs } from "./sqs.ts";

const QueueUrl = queueUrl("jobs");
const world = createTestQueues([
  ...jobsWithDeadLetters(),
  queue("open"),
  queuePolicy("open", {
    Effect: "Allow",
    Principal: { AWS: roleArn },
    Action: "sqs:ReceiveMessage",
    Resource: queueArn("open"),
  }),
  role({ Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn("jobs") }),
]);
const principals: Principals = createPrincipals(world);
const server = createSqs({ ...world, principals, log: silentLog });
let endpoint: string;
let operator: SQSClient;
let worker: SQSClient;

// it warns that the URL's host is not the region's
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const client = (who: Principals["operator"]) =>
  new SQSClient({ region, endpoint, credentials: who, maxAttempts: 1 });

beforeAll(async () => {
  endpoint = `http://127.0.0.1:${await listen(server, 0, "SQS")}`;
  operator = client(principals.operator);
  worker = client(principals.forRole(roleArn, "lambda.amazonaws.com"));
});

beforeEach(() => {
  for (const { arn } of world.queues.list()) world.queues.purge(arn);
});

afterAll(async () => {
  operator.destroy();
  worker.destroy();
  await close(server);
});

const counts = async () => {
  const { Attributes = {} } = await operator.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
  );
  return [
    Number(Attributes.ApproximateNumberOfMessages),
    Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  ];
};

test("a message goes round with its attributes and trace, and only those asked for", async () => {
  const sent = await operator.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: "hello",
      MessageAttributes: {
        kind: { DataType: "String", StringValue: "greeting" },
        bytes: { DataType: "Binary", BinaryValue: Buffer.from("héé") },
      },
      MessageSystemAttributes: {
        AWSTraceHeader: {
          DataType: "String",
          StringValue: "Root=1-5759e988-bd862e3fe1be46a994272793",
        },
      },
    }),
  );
  expect(sent.MD5OfMessageBody).toBe("5d41402abc4b2a76b9719d911017c592");
  const { Messages } = await operator.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["AWSTraceHeader", "ApproximateReceiveCount"],
    }),
  );
  expect(Messages).toHaveLength(1);
  expect(Messages?.[0]).toMatchObject({
    MessageId: sent.MessageId,
    Body: "hello",
    MessageAttributes: { kind: { StringValue: "greeting" } },
    MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
    Attributes: {
      AWSTraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793",
      ApproximateReceiveCount: "1",
    },
  });
  expect(Buffer.from(Messages![0]!.MessageAttributes!["bytes"]!.BinaryValue!).toString()).toBe(
    "héé",
  );
  expect(Object.keys(Messages![0]!.Attributes!)).toHaveLength(2);
  await operator.send(
    new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages![0]!.ReceiptHandle }),
  );
  expect(await counts()).toEqual([0, 0]);
});

test("the digest of attributes is that of AWS", async () => {
  // the value is from moto's tests, which took it from AWS
  const { MD5OfMessageAttributes } = await operator.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: "x",
      MessageAttributes: {
        timestamp: { DataType: "Number.java.lang.Long", StringValue: "1493147359900" },
      },
    }),
  );
  expect(MD5OfMessageAttributes).toBe("2e2e4876d8e0bd6b8c2c8f556831c349");
});

test("a batch succeeds and fails entry by entry", async () => {
  const { Successful, Failed } = await operator.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: "a", MessageBody: "1" },
        { Id: "b", MessageBody: "\u0000" },
        { Id: "c", MessageBody: "3" },
      ],
    }),
  );
  expect(Successful?.map(({ Id }) => Id)).toEqual(["a", "c"]);
  expect(Failed).toMatchObject([{ Id: "b", Code: "InvalidMessageContents", SenderFault: true }]);
  const { Messages = [] } = await operator.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
  );
  const [first, second] = Messages.map(({ ReceiptHandle }) => ReceiptHandle);
  await operator.send(
    new ChangeMessageVisibilityBatchCommand({
      QueueUrl,
      Entries: [{ Id: "x", ReceiptHandle: first, VisibilityTimeout: 0 }],
    }),
  );
  expect(await counts()).toEqual([1, 1]);
  const deleted = await operator.send(
    new DeleteMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: "x", ReceiptHandle: second },
        { Id: "y", ReceiptHandle: "junk" },
      ],
    }),
  );
  expect(deleted.Failed).toMatchObject([{ Id: "y", Code: "ReceiptHandleIsInvalid" }]);
  expect(await counts()).toEqual([1, 0]);
});

test.each([
  [() => new SendMessageCommand({ QueueUrl, MessageBody: "" }), "MissingParameter"],
  [
    () => new SendMessageCommand({ QueueUrl: queueUrl("nope"), MessageBody: "a" }),
    "QueueDoesNotExist",
  ],
  [() => new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 }), "InvalidParameterValue"],
  [() => new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "junk" }), "ReceiptHandleIsInvalid"],
  [() => new DeleteMessageBatchCommand({ QueueUrl, Entries: [] }), "EmptyBatchRequest"],
  [
    () =>
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [1, 2].map(() => ({ Id: "same", MessageBody: "a" })),
      }),
    "BatchEntryIdsNotDistinct",
  ],
  [() => new CreateQueueCommand({ QueueName: "new" }), "UnsupportedOperation"],
])("a bad request is refused as SQS does (%#)", async (command, name) => {
  await expect(operator.send(command() as SendMessageCommand)).rejects.toMatchObject({
    name: expect.stringMatching(new RegExp(`(^|[.])${name}$`)),
    $metadata: { httpStatusCode: 400 },
  });
});

test("a long poll is answered the moment a message comes", async () => {
  const started = performance.now();
  const receiving = operator.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await wait(50);
  await operator.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  expect((await receiving).Messages).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(2_000);
});

test("a long poll that its client gave up takes no message", async () => {
  const caller = new AbortController();
  const receiving = operator.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
    abortSignal: caller.signal,
  });
  await wait(50);
  caller.abort();
  await expect(receiving).rejects.toMatchObject({ name: "AbortError" });
  await operator.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  await wait(20);
  expect(await counts()).toEqual([1, 0]);
});

test("queues are found by name, listed and emptied", async () => {
  const found = await operator.send(new GetQueueUrlCommand({ QueueName: "jobs" }));
  expect(found.QueueUrl).toBe(`${endpoint}/${account}/jobs`);
  await expect(operator.send(new GetQueueUrlCommand({ QueueName: "nope" }))).rejects.toMatchObject({
    name: expect.stringContaining("QueueDoesNotExist"),
  });
  const { QueueUrls } = await operator.send(new ListQueuesCommand({ QueueNamePrefix: "d" }));
  expect(QueueUrls).toEqual([`${endpoint}/${account}/dead`]);
  await operator.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  await operator.send(new PurgeQueueCommand({ QueueUrl }));
  expect(await counts()).toEqual([0, 0]);
});

test("dead letters are sent back by a task that can be looked up", async () => {
  world.queues.send(queueArn("dead"), "again");
  await operator.send(
    new StartMessageMoveTaskCommand({
      SourceArn: queueArn("dead"),
      DestinationArn: queueArn("jobs"),
    }),
  );
  const { Results } = await operator.send(
    new ListMessageMoveTasksCommand({ SourceArn: queueArn("dead") }),
  );
  expect(Results).toMatchObject([{ Status: "COMPLETED", ApproximateNumberOfMessagesMoved: 1 }]);
  expect(await counts()).toEqual([1, 0]);
});

test("a role may do what its policy or the queue's says, and nothing else", async () => {
  await worker.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  await worker.send(
    new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a", MessageBody: "b" }] }),
  );
  await worker.send(new ReceiveMessageCommand({ QueueUrl: queueUrl("open") }));
  await expect(worker.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
    name: "AccessDenied",
    message: `User: arn:aws:sts::${account}:assumed-role/worker/worker is not authorized to perform: sqs:receivemessage on resource: ${queueArn("jobs")} because no identity-based policy allows the sqs:receivemessage action`,
    $metadata: { httpStatusCode: 403 },
  });
});

test("a client that has no endpoint but the queue's URL reaches the queue", async () => {
  const plain = new SQSClient({
    region,
    credentials: principals.operator,
    logger: quiet,
  });
  const pointed = `${endpoint}${new URL(QueueUrl).pathname}`;
  await plain.send(new SendMessageCommand({ QueueUrl: pointed, MessageBody: "a" }));
  plain.destroy();
  expect(await counts()).toEqual([1, 0]);
});
