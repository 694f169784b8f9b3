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
  type MessageAttributeValue,
} from "@aws-sdk/client-sqs";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type Principal, type Principals, createPrincipals } from "../iam/principals.ts";
import { signRequest } from "../iam/sign-request.ts";
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
const local = createTestQueues([
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
const principals: Principals = createPrincipals(local);
const server = createSqs({ ...local, principals, log: silentLog });
let endpoint: string;
let operator: SQSClient;
let worker: SQSClient;

// the SDK warns that the URL's host is not the region's
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const client = (principal: Principal) =>
  new SQSClient({ region, endpoint, credentials: principal, maxAttempts: 1 });

beforeAll(async () => {
  endpoint = `http://127.0.0.1:${await listen(server, 0, "SQS")}`;
  operator = client(principals.operator);
  worker = client(principals.forRole(roleArn, "lambda.amazonaws.com"));
});

beforeEach(() => {
  for (const { arn } of local.queues.list()) local.queues.purge(arn);
});

afterAll(async () => {
  operator.destroy();
  worker.destroy();
  await close(server);
});

const messageCounts = async () => {
  const { Attributes = {} } = await operator.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
  );
  return [
    Number(Attributes.ApproximateNumberOfMessages),
    Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  ];
};

test("a message is received with the attributes that the request asks for", async () => {
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
  expect(await messageCounts()).toEqual([0, 0]);
});

// known digests: moto's tests took the first from AWS; YDB's tests quote the others as Amazon's samples
test.each<{ type: string; attributes: Record<string, MessageAttributeValue>; digest: string }>([
  {
    type: "a Number with a suffix",
    attributes: {
      timestamp: { DataType: "Number.java.lang.Long", StringValue: "1493147359900" },
    },
    digest: "2e2e4876d8e0bd6b8c2c8f556831c349",
  },
  {
    type: "Binary",
    attributes: {
      test_attribute_name: {
        DataType: "Binary",
        BinaryValue: Buffer.from("test_attribute_value"),
      },
    },
    digest: "23f6bd27ea87aab7dfeadcc9aebee495",
  },
  {
    type: "two Strings, in the order of their names",
    attributes: {
      test_attribute_name_2: { DataType: "String", StringValue: "test_attribute_value_2" },
      test_attribute_name_1: { DataType: "String", StringValue: "test_attribute_value_1" },
    },
    digest: "d53f3b558fe951154770f25cb63dbba9",
  },
])("the digest of message attributes equals the one of AWS: $type", async (known) => {
  const { MD5OfMessageAttributes } = await operator.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: "x",
      MessageAttributes: known.attributes,
    }),
  );
  expect(MD5OfMessageAttributes).toBe(known.digest);
});

test("entries of a batch succeed and fail independently", async () => {
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
  expect(await messageCounts()).toEqual([1, 1]);
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
  expect(await messageCounts()).toEqual([1, 0]);
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
])("an invalid request is rejected with the error of SQS (%#)", async (command, name) => {
  await expect(operator.send(command() as SendMessageCommand)).rejects.toMatchObject({
    name: expect.stringMatching(new RegExp(`(^|[.])${name}$`)),
    $metadata: { httpStatusCode: 400 },
  });
});

test("a long poll returns when a message arrives", async () => {
  // the clock does not move, so only the message can end the poll before the test times out
  const receiving = operator.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await wait(50);
  await operator.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  expect((await receiving).Messages).toHaveLength(1);
});

test("a long poll whose client closed the connection receives no message", async () => {
  const caller = new AbortController();
  const receiving = operator.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
    abortSignal: caller.signal,
  });
  await wait(50);
  caller.abort();
  await expect(receiving).rejects.toMatchObject({ name: "AbortError" });
  await operator.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  await wait(20);
  expect(await messageCounts()).toEqual([1, 0]);
});

test("queues are found by name, listed and purged", async () => {
  const found = await operator.send(new GetQueueUrlCommand({ QueueName: "jobs" }));
  expect(found.QueueUrl).toBe(`${endpoint}/${account}/jobs`);
  await expect(operator.send(new GetQueueUrlCommand({ QueueName: "nope" }))).rejects.toMatchObject({
    name: expect.stringContaining("QueueDoesNotExist"),
  });
  const { QueueUrls } = await operator.send(new ListQueuesCommand({ QueueNamePrefix: "d" }));
  expect(QueueUrls).toEqual([`${endpoint}/${account}/dead`]);
  await operator.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  await operator.send(new PurgeQueueCommand({ QueueUrl }));
  expect(await messageCounts()).toEqual([0, 0]);
});

test("a move task moves dead letters back and can be listed", async () => {
  local.queues.send(queueArn("dead"), "again");
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
  expect(await messageCounts()).toEqual([1, 0]);
});

test("a role may do what its policy or the queue's policy allows, and nothing else", async () => {
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

test("a client without an endpoint reaches the queue by its URL", async () => {
  const plain = new SQSClient({
    region,
    credentials: principals.operator,
    logger: silent,
  });
  const pointed = `${endpoint}${new URL(QueueUrl).pathname}`;
  await plain.send(new SendMessageCommand({ QueueUrl: pointed, MessageBody: "a" }));
  plain.destroy();
  expect(await messageCounts()).toEqual([1, 0]);
});

/** Sends form fields as the query protocol does, signed, and returns the status and the XML. */
async function query(
  fields: Record<string, string>,
  principal: Principal = principals.operator,
  path = "/",
) {
  const body = new URLSearchParams({ Version: "2012-11-05", ...fields }).toString();
  const request = {
    method: "POST",
    url: path,
    headers: {
      host: new URL(endpoint).host,
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    },
    body,
  };
  const headers = {
    ...request.headers,
    ...signRequest(request, principal, "sqs", region, Date.now()),
  };
  const response = await fetch(endpoint + path, { method: "POST", headers, body });
  return { status: response.status, xml: await response.text() };
}

const textOf = (xml: string, element: string) =>
  new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];

test("the query protocol sends, receives and deletes a message", async () => {
  const sent = await query({
    Action: "SendMessage",
    QueueUrl,
    MessageBody: "a < b & c",
    "MessageAttribute.1.Name": "kind",
    "MessageAttribute.1.Value.DataType": "String",
    "MessageAttribute.1.Value.StringValue": "greeting",
  });
  expect(sent.status).toBe(200);
  expect(sent.xml).toContain(
    '<SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><SendMessageResult><MessageId>',
  );
  const { xml } = await query(
    {
      Action: "ReceiveMessage",
      "AttributeName.1": "ApproximateReceiveCount",
      "MessageAttributeName.1": "All",
      MaxNumberOfMessages: "10",
    },
    principals.operator,
    new URL(QueueUrl).pathname,
  );
  expect(xml).toContain("<Body>a &#60; b &#38; c</Body>");
  expect(xml).toContain(
    "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>",
  );
  expect(xml).toContain(
    "<MessageAttribute><Name>kind</Name><Value><DataType>String</DataType><StringValue>greeting</StringValue></Value></MessageAttribute>",
  );
  const ReceiptHandle = textOf(xml, "ReceiptHandle")!;
  const deleted = await query({
    Action: "DeleteMessageBatch",
    QueueUrl,
    "DeleteMessageBatchRequestEntry.1.Id": "x",
    "DeleteMessageBatchRequestEntry.1.ReceiptHandle": ReceiptHandle,
    "DeleteMessageBatchRequestEntry.2.Id": "y",
    "DeleteMessageBatchRequestEntry.2.ReceiptHandle": "junk",
  });
  expect(deleted.xml).toContain(
    "<DeleteMessageBatchResultEntry><Id>x</Id></DeleteMessageBatchResultEntry>",
  );
  expect(textOf(deleted.xml, "Code")).toBe("ReceiptHandleIsInvalid");
  const empty = await query({ Action: "ReceiveMessage", QueueUrl });
  expect(empty.xml).toContain("<ReceiveMessageResult></ReceiveMessageResult>");
  expect(await messageCounts()).toEqual([0, 0]);
});

test("the query protocol finds queues and their attributes", async () => {
  const url = await query({ Action: "GetQueueUrl", QueueName: "jobs" });
  expect(textOf(url.xml, "QueueUrl")).toBe(`${endpoint}/${account}/jobs`);
  const list = await query({ Action: "ListQueues" });
  expect(list.xml.match(/<QueueUrl>/g)).toHaveLength(3);
  const { xml } = await query({
    Action: "GetQueueAttributes",
    QueueUrl,
    "AttributeName.1": "QueueArn",
  });
  expect(xml).toContain(
    `<GetQueueAttributesResult><Attribute><Name>QueueArn</Name><Value>${queueArn("jobs")}</Value></Attribute></GetQueueAttributesResult>`,
  );
});

test.each([
  [
    { Action: "SendMessage", QueueUrl: queueUrl("nope") },
    400,
    "AWS.SimpleQueueService.NonExistentQueue",
  ],
  [{ Action: "ReceiveMessage", QueueUrl, MaxNumberOfMessages: "11" }, 400, "InvalidParameterValue"],
  [{ Action: "CreateQueue", QueueName: "q" }, 400, "AWS.SimpleQueueService.UnsupportedOperation"],
  [
    { Action: "SendMessage", QueueUrl, MessageBody: "x", "MessageAttribute.1.Name": "kind" },
    400,
    "InvalidParameterValue",
  ],
  [{ Action: "__proto__" }, 400, "AWS.SimpleQueueService.UnsupportedOperation"],
])("the query protocol rejects %j", async (fields, status, code) => {
  const rejected = await query(fields as unknown as Record<string, string>);
  expect([rejected.status, textOf(rejected.xml, "Code")]).toEqual([status, code]);
  expect(rejected.xml).toContain("<ErrorResponse");
});

test("the query protocol rejects a role without permission with 403", async () => {
  const role = principals.forRole(roleArn, "lambda.amazonaws.com");
  const { status, xml } = await query({ Action: "ReceiveMessage", QueueUrl }, role);
  expect([status, textOf(xml, "Code")]).toEqual([403, "AccessDenied"]);
});
