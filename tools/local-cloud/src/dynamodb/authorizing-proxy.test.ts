import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type TestTable, account, region, tableArn, startTestTable } from "./dynamodb.fixture.ts";

const statements = [
  { Effect: "Allow", Action: ["dynamodb:GetItem", "dynamodb:BatchGetItem"], Resource: tableArn },
  {
    Effect: "Allow",
    Action: ["dynamodb:PutItem", "dynamodb:Query"],
    Resource: tableArn,
    Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["own#*"] } },
  },
];

let testTable: TestTable;
let role: DynamoDBClient;
let operator: DynamoDBClient;
let streams: DynamoDBStreamsClient;

beforeAll(async () => {
  testTable = await startTestTable(statements);
  role = new DynamoDBClient(testTable.as("role"));
  operator = new DynamoDBClient(testTable.as("operator"));
  streams = new DynamoDBStreamsClient(testTable.as("operator"));
});

afterAll(async () => {
  await testTable.close();
  for (const client of [role, operator, streams]) client.destroy();
});

const TableName = "app-dev-Things";
const Item = { pk: { S: "own#1" }, sk: { S: "a" } };
const denied = (action: string, resource = tableArn) => ({
  name: "AccessDeniedException",
  $metadata: expect.objectContaining({ httpStatusCode: 400 }),
  message: `User: arn:aws:sts::${account}:assumed-role/app-dev-Worker/app-dev-Worker is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
});

test("a role may do what its policy allows, and a denial has AWS's message", async () => {
  await role.send(new PutItemCommand({ TableName, Item }));
  const got = await role.send(new GetItemCommand({ TableName, Key: Item }));
  expect(got.Item).toEqual(Item);
  await expect(role.send(new ScanCommand({ TableName }))).rejects.toMatchObject(
    denied("dynamodb:Scan"),
  );
  expect(testTable.denials.at(-1)).toEqual({
    principal: "Worker",
    action: "dynamodb:Scan",
    resource: tableArn,
  });
});

test("a condition on the leading key is checked against the key of items and of queries", async () => {
  const other = { ...Item, pk: { S: "other#1" } };
  const query = (pk: string) =>
    new QueryCommand({
      TableName,
      KeyConditionExpression: "begins_with(sk, :sk) AND #k = :pk",
      ExpressionAttributeNames: { "#k": "pk" },
      ExpressionAttributeValues: { ":pk": { S: pk }, ":sk": { S: "a" } },
    });
  await expect(role.send(new PutItemCommand({ TableName, Item: other }))).rejects.toMatchObject(
    denied("dynamodb:PutItem"),
  );
  await expect(role.send(query("other#1"))).rejects.toMatchObject(denied("dynamodb:Query"));
  expect((await role.send(query("own#1"))).Count).toBe(1);
});

test("a query on an index needs the permission on the index", async () => {
  const query = new QueryCommand({
    TableName,
    IndexName: "gsi1",
    KeyConditionExpression: "gsi1pk = :pk",
    ExpressionAttributeValues: { ":pk": { S: "own#x" } },
  });
  await expect(role.send(query)).rejects.toMatchObject(
    denied("dynamodb:Query", `${tableArn}/index/gsi1`),
  );
  expect((await operator.send(query)).Count).toBe(0);
});

test("a batch needs its own permission on each table, a transaction needs the permission of each part", async () => {
  const got = await role.send(
    new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Item] } } }),
  );
  expect(got.Responses?.[TableName]).toHaveLength(1);
  const elsewhere = new BatchGetItemCommand({
    RequestItems: { [TableName]: { Keys: [Item] }, Elsewhere: { Keys: [Item] } },
  });
  await expect(role.send(elsewhere)).rejects.toMatchObject(
    denied("dynamodb:BatchGetItem", `arn:aws:dynamodb:${region}:${account}:table/Elsewhere`),
  );
  const write = new BatchWriteItemCommand({
    RequestItems: { [TableName]: [{ PutRequest: { Item } }] },
  });
  await expect(role.send(write)).rejects.toMatchObject(denied("dynamodb:BatchWriteItem"));
  const put = { Put: { TableName, Item } };
  const check = {
    ConditionCheck: {
      TableName,
      Key: { ...Item, sk: { S: "b" } },
      ConditionExpression: "attribute_not_exists(pk)",
    },
  };
  await role.send(new TransactWriteItemsCommand({ TransactItems: [put] }));
  await expect(
    role.send(new TransactWriteItemsCommand({ TransactItems: [put, check] })),
  ).rejects.toMatchObject(denied("dynamodb:ConditionCheckItem"));
});

test("ARNs have the region and the account of the graph, not those of the engine", async () => {
  const { Table } = await operator.send(new DescribeTableCommand({ TableName }));
  expect(Table).toMatchObject({ TableArn: tableArn, LatestStreamArn: testTable.streamArn });
  expect(testTable.streamArn.endsWith(`/stream/${Table?.LatestStreamLabel}`)).toBe(true);
  expect(Table?.GlobalSecondaryIndexes?.[0]?.IndexArn).toBe(`${tableArn}/index/gsi1`);
  expect((await operator.send(new ListTablesCommand({}))).TableNames).toEqual([TableName]);
  const listed = await streams.send(new ListStreamsCommand({ TableName }));
  expect(listed.Streams?.map(({ StreamArn }) => StreamArn)).toEqual([testTable.streamArn]);
});

test("a stream is read by its ARN in the graph, and has no record of a write that changed nothing", async () => {
  const before = { pk: { S: "own#s" }, sk: { S: "a" }, tags: { SS: ["x", "y"] } };
  await operator.send(new PutItemCommand({ TableName, Item: before }));
  await operator.send(
    new PutItemCommand({ TableName, Item: { ...before, tags: { SS: ["y", "x"] } } }),
  );
  await operator.send(new PutItemCommand({ TableName, Item: { ...before, n: { N: "1" } } }));

  const records = (await testTable.records(streams)).filter(
    ({ dynamodb }) => dynamodb?.Keys?.["pk"]?.S === "own#s",
  );
  expect(records.map(({ eventName, awsRegion }) => [eventName, awsRegion])).toEqual([
    ["INSERT", region],
    ["MODIFY", region],
  ]);
  const { StreamDescription } = await streams.send(
    new DescribeStreamCommand({ StreamArn: testTable.streamArn }),
  );
  expect(StreamDescription?.StreamArn).toBe(testTable.streamArn);
  expect(StreamDescription?.Shards?.[0]?.SequenceNumberRange?.EndingSequenceNumber).toBeUndefined();
});

test("GetRecords needs the permission on the stream of its iterator", async () => {
  const { StreamDescription } = await streams.send(
    new DescribeStreamCommand({ StreamArn: testTable.streamArn }),
  );
  const { ShardIterator } = await streams.send(
    new GetShardIteratorCommand({
      StreamArn: testTable.streamArn,
      ShardId: StreamDescription?.Shards?.[0]?.ShardId,
      ShardIteratorType: "TRIM_HORIZON",
    }),
  );
  const roleStreams = new DynamoDBStreamsClient(testTable.as("role"));
  await expect(roleStreams.send(new GetRecordsCommand({ ShardIterator }))).rejects.toMatchObject(
    denied("dynamodb:GetRecords", testTable.streamArn),
  );
  roleStreams.destroy();
});

test.each([
  ["a wrong secret", { secretAccessKey: "wrong" }, "InvalidSignatureException"],
  ["an unknown key", { accessKeyId: "ASIAUNKNOWN" }, "UnrecognizedClientException"],
  ["no session token", { sessionToken: undefined }, "UnrecognizedClientException"],
])("%s is refused", async (_, wrong, name) => {
  const given = testTable.as("role");
  const client = new DynamoDBClient({ ...given, credentials: { ...given.credentials, ...wrong } });
  await expect(client.send(new GetItemCommand({ TableName, Key: Item }))).rejects.toMatchObject({
    name,
  });
  client.destroy();
});

test("an unsigned request is refused, and so is an operation that is not emulated", async () => {
  const answer = await fetch(testTable.dynamo.url, {
    method: "POST",
    headers: { "x-amz-target": "DynamoDB_20120810.GetItem" },
    body: JSON.stringify({ TableName, Key: Item }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    __type: "com.amazon.coral.service#MissingAuthenticationTokenException",
  });
  await expect(
    operator.send(new DescribeContinuousBackupsCommand({ TableName })),
  ).rejects.toMatchObject({
    name: "UnknownOperationException",
    message: "dynamodb:DescribeContinuousBackups is not emulated",
  });
});

test("an operation that changes a table is refused, and the message says where tables are changed", async () => {
  const refused = (operation: string) => ({
    name: "UnknownOperationException",
    $metadata: expect.objectContaining({ httpStatusCode: 400 }),
    message: `${operation} is not available: tables come from the resource graph. Change them in infra/ and generate the graph again.`,
  });
  const create = new CreateTableCommand({
    TableName: "Other",
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
  });
  await expect(operator.send(create)).rejects.toMatchObject(refused("CreateTable"));
  await expect(
    operator.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true })),
  ).rejects.toMatchObject(refused("UpdateTable"));
  await expect(operator.send(new DeleteTableCommand({ TableName }))).rejects.toMatchObject(
    refused("DeleteTable"),
  );
  const TimeToLiveSpecification = { AttributeName: "expiresAt", Enabled: false };
  await expect(
    operator.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })),
  ).rejects.toMatchObject(refused("UpdateTimeToLive"));
  expect((await operator.send(new ListTablesCommand({}))).TableNames).toEqual([TableName]);
});

test("the start fails for a policy with a condition key that is not emulated", async () => {
  const attributes = { "ForAllValues:StringEquals": { "dynamodb:Attributes": ["pk"] } };
  const statement = { Effect: "Allow", Action: "*", Resource: "*", Condition: attributes };
  await expect(startTestTable([statement])).rejects.toThrow(
    "The policy of Worker has a condition on dynamodb:Attributes, which is not emulated; use one of dynamodb:leadingkeys",
  );
});
