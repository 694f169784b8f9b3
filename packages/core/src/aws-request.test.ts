import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";

import * as AwsRequest from "./aws-request.ts";

// What AWS does seldom, from a server that does it at once. What it does always is in the tests of those who call.

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

/** Answers each request by the next listener, and every further one by the last. */
async function answering(...listeners: RequestListener[]) {
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

const says =
  (status: number, body = ""): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(body);

const hangsUp: RequestListener = (request) => request.socket.destroy();
const get = { service: "s3", method: "GET", bucket: "pictures", path: "/a" } as const;
const ask = { service: "dynamodb", method: "POST", path: "/", body: "{}" } as const;

test("a failure that may pass is tried again, and then it is the answer", async () => {
  const server = await answering(says(500), hangsUp, says(200, "picture"));
  const { body } = await AwsRequest.send(get);
  expect(String(await AwsRequest.bytes(body))).toBe("picture");
  expect(server.requests()).toBe(3);
});

test("after three attempts it is an error", async () => {
  const server = await answering(says(503, "<Error><Code>SlowDown</Code></Error>"));
  await expect(AwsRequest.send(get)).rejects.toMatchObject({ status: 503, code: "SlowDown" });
  expect(server.requests()).toBe(3);
});

test("DynamoDB's throttling is a 400 that may pass", async () => {
  const type = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
  const server = await answering(says(400, JSON.stringify({ __type: type })), says(200, "{}"));
  await expect(AwsRequest.send(ask)).resolves.toMatchObject({ status: 200 });
  expect(server.requests()).toBe(2);
});

test("a no is not asked again", async () => {
  const server = await answering(says(403, "<Error><Code>AccessDenied</Code></Error>"));
  await expect(AwsRequest.send(get)).rejects.toMatchObject({ status: 403, code: "AccessDenied" });
  expect(server.requests()).toBe(1);
});

test("an answer that breaks off is an error and no shorter picture", async () => {
  await answering((_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half", () => response.socket?.destroy());
  });
  const { body } = await AwsRequest.send(get);
  await expect(AwsRequest.bytes(body)).rejects.toThrow("aborted");
});

test.each([
  ["eu-central-1", "https://pictures.s3.eu-central-1.amazonaws.com/"],
  ["cn-north-1", "https://pictures.s3.cn-north-1.amazonaws.com.cn/"],
])("a bucket in %s is at a host of its own", (region, url) => {
  const { origin, prefix } = AwsRequest.locate("s3", region, "pictures");
  expect([origin.href, prefix]).toEqual([url, ""]);
});

test("without a role in the environment nothing is sent", async () => {
  const server = await answering(says(200));
  delete process.env["AWS_ACCESS_KEY_ID"];
  await expect(AwsRequest.send(get)).rejects.toThrow("AWS_ACCESS_KEY_ID");
  expect(server.requests()).toBe(0);
});
