import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import * as Bucket from "./bucket.ts";
import * as Dynamo from "./dynamo.ts";
import * as Queue from "./queue.ts";
import * as Unavailable from "./unavailable.ts";

// AWS answers as the test says, to the clients that the service has.
let answer: RequestListener = () => {};
const server = createServer((request, response) => answer(request, response));

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const resource = (value: object) => JSON.stringify(value);
  Object.assign(process.env, {
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_S3: url,
    AWS_ENDPOINT_URL_SQS: url,
    SST_RESOURCE_App: resource({ name: "balde", stage: "test" }),
    SST_RESOURCE_Data: resource({ name: "data" }),
    SST_RESOURCE_Images: resource({ name: "images" }),
    SST_RESOURCE_Ingest: resource({ url: `${url}/1/ingest` }),
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const json =
  (status: number, body: object): RequestListener =>
  (_request, response) =>
    response
      .writeHead(status, { "content-type": "application/x-amz-json-1.0" })
      .end(JSON.stringify(body));
const dynamoError = (name: string, more = {}) =>
  json(400, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: name, ...more });
const cancelled = (...codes: string[]) =>
  dynamoError("TransactionCanceledException", {
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
const unprocessed = json(200, {
  Responses: {},
  UnprocessedKeys: { data: { Keys: [{ pk: { S: "a" }, sk: { S: "b" } }] } },
});
const closeConnection: RequestListener = (request) => request.socket.destroy();
const s3Error =
  (status: number, code: string): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);

const read = () => Dynamo.get({ pk: "a", sk: "b" });
const write = () => Dynamo.transact([{ put: { item: { pk: "a", sk: "b" } } }]);
const readMany = () => Dynamo.getMany([{ pk: "a", sk: "b" }]);
const store = () => Bucket.put("a", new Uint8Array(1), { type: "image/png" });
const command = () => Queue.send(process.env["AWS_ENDPOINT_URL_SQS"]!, [{ body: {} }]);

const errorOf = (work: () => Promise<unknown>) =>
  work().then(
    () => undefined,
    (error: unknown) => error,
  );

test.each([
  ["DynamoDB throttles a read", read, dynamoError("ThrottlingException")],
  ["DynamoDB has no throughput", read, dynamoError("ProvisionedThroughputExceededException")],
  ["DynamoDB fails", read, json(500, { __type: "x#InternalServerError" })],
  ["DynamoDB closes the connection", read, closeConnection],
  ["DynamoDB leaves keys out every time", readMany, unprocessed],
  ["a transaction is throttled", write, cancelled("None", "ThrottlingError")],
  ["a transaction meets another one every time", write, cancelled("TransactionConflict", "None")],
  ["DynamoDB fails in a transaction", write, json(503, { __type: "x#ServiceUnavailable" })],
  ["S3 says slow down", store, s3Error(503, "SlowDown")],
  ["S3 fails", store, s3Error(500, "InternalError")],
  ["S3 closes the connection", store, closeConnection],
  ["SQS throttles", command, json(400, { __type: "com.amazonaws.sqs#RequestThrottled" })],
  ["SQS fails", command, json(500, { __type: "x#InternalFailure" })],
  [
    "SQS takes a part",
    command,
    json(200, { Failed: [{ Id: "0", SenderFault: false, Code: "InternalError", Message: "No" }] }),
  ],
  ["SQS closes the connection", command, closeConnection],
] as const)("when %s, the client is told to come back later", async (_, work, listener) => {
  answer = listener;
  const error = await errorOf(work);
  const told = Unavailable.fromError(error) ?? error;
  expect(told).toMatchObject({
    kind: "unavailable",
    code: "service.unavailable",
    retryAfterSeconds: 2,
    cause: expect.any(Error),
  });
});

test.each([
  ["DynamoDB refuses the request", read, dynamoError("ValidationException")],
  ["a permission is missing", read, dynamoError("AccessDeniedException")],
  ["a transaction is not valid", write, cancelled("ValidationError", "None")],
  ["S3 refuses the request", store, s3Error(403, "AccessDenied")],
  ["SQS refuses the request", command, json(400, { __type: "com.amazonaws.sqs#InvalidAddress" })],
] as const)("when %s, it is a bug", async (_, work, listener) => {
  answer = listener;
  const error = await errorOf(work);
  expect(error).toBeInstanceOf(Error);
  expect(Unavailable.fromError(error)).toBeUndefined();
});

test("any other error is a bug", () => {
  for (const error of [new TypeError("x is not a function"), "text", undefined, new RangeError()])
    expect(Unavailable.fromError(error)).toBeUndefined();
});
