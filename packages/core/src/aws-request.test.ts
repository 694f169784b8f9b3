import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";

import * as AwsRequest from "./aws-request.ts";

// What AWS does rarely, from a server that does it at once. The tests of the callers hold what it does always.

const before = { ...process.env };
beforeEach(() => {
  Object.assign(process.env, {
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret",
  });
});
afterEach(() => {
  process.env = { ...before };
});

/** A server that answers each request with the next listener, and further requests with the last one. */
async function serve(...listeners: RequestListener[]) {
  let requests = 0;
  const server = createServer((request, response) => {
    const listener = listeners[Math.min(requests, listeners.length - 1)]!;
    requests += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, { AWS_ENDPOINT_URL_S3: url, AWS_ENDPOINT_URL_DYNAMODB: url });
  return { requests: () => requests };
}

const answer =
  (status: number, body = ""): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(body);

const closeConnection: RequestListener = (request) => request.socket.destroy();
const s3Get = { service: "s3", method: "GET", bucket: "pictures", path: "/a" } as const;
const dynamoPost = { service: "dynamodb", method: "POST", path: "/", body: "{}" } as const;

test("temporary errors are retried until there is a response", async () => {
  const server = await serve(answer(500), closeConnection, answer(200, "picture"));
  const { body } = await AwsRequest.send(s3Get);
  expect(String(await AwsRequest.readBody(body))).toBe("picture");
  expect(server.requests()).toBe(3);
});

test("the third failed attempt is the error", async () => {
  const server = await serve(answer(503, "<Error><Code>SlowDown</Code></Error>"));
  await expect(AwsRequest.send(s3Get)).rejects.toMatchObject({ status: 503, code: "SlowDown" });
  expect(server.requests()).toBe(3);
});

test("DynamoDB's throttling is retried, although its status is 400", async () => {
  const type = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
  const server = await serve(answer(400, JSON.stringify({ __type: type })), answer(200, "{}"));
  await expect(AwsRequest.send(dynamoPost)).resolves.toMatchObject({ status: 200 });
  expect(server.requests()).toBe(2);
});

test("a permanent error is not retried", async () => {
  const server = await serve(answer(403, "<Error><Code>AccessDenied</Code></Error>"));
  await expect(AwsRequest.send(s3Get)).rejects.toMatchObject({ status: 403, code: "AccessDenied" });
  expect(server.requests()).toBe(1);
});

/** Half of a body; then the connection ends, or nothing more comes. */
const half =
  (then: "cut" | "stall"): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-length": "10" });
    response.write("01234", () => then === "cut" && response.socket?.destroy());
  };

test.each(["cut", "stall"] as const)(
  "a call is made again when the body of its response ends in a %s",
  async (then) => {
    const server = await serve(half(then), answer(200, "0123456789"));
    const body = await AwsRequest.sendAndRead(s3Get);
    expect([String(body), server.requests()]).toEqual(["0123456789", 2]);
  },
);

test("a body that ends too early is an error, not a shorter body", async () => {
  await serve((_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half", () => response.socket?.destroy());
  });
  const { body } = await AwsRequest.send(s3Get);
  await expect(AwsRequest.readBody(body)).rejects.toThrow("aborted");
});

test.each([
  ["eu-central-1", "https://pictures.s3.eu-central-1.amazonaws.com/"],
  ["cn-north-1", "https://pictures.s3.cn-north-1.amazonaws.com.cn/"],
])("a bucket in %s has its own host name", (region, url) => {
  const { origin, prefix } = AwsRequest.getEndpoint("s3", region, "pictures");
  expect([origin.href, prefix]).toEqual([url, ""]);
});

test("without credentials in the environment nothing is sent", async () => {
  const server = await serve(answer(200));
  delete process.env["AWS_ACCESS_KEY_ID"];
  await expect(AwsRequest.send(s3Get)).rejects.toThrow("AWS_ACCESS_KEY_ID");
  expect(server.requests()).toBe(0);
});

test.each([
  [{}, "https://pictures.s3.eu-central-1.amazonaws.com/", ""],
  [{ AWS_ENDPOINT_URL: "http://127.0.0.1:9" }, "http://127.0.0.1:9/", "/pictures"],
  [
    { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_ENDPOINT_URL_S3: "http://127.0.0.1:8" },
    "http://127.0.0.1:8/",
    "/pictures",
  ],
])("the endpoint of a bucket with %o", (env, origin, prefix) => {
  const { AWS_ENDPOINT_URL_S3, ...before } = process.env;
  onTestFinished(() => void (process.env = { ...before, AWS_ENDPOINT_URL_S3 }));
  process.env = { ...before, ...env };
  const endpoint = AwsRequest.getEndpoint("s3", "eu-central-1", "pictures");
  expect([endpoint.origin.href, endpoint.prefix]).toEqual([origin, prefix]);
});
