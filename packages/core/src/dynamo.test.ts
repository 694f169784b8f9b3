import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import * as AwsRequest from "./aws-request.ts";
import * as Dynamo from "./dynamo.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let engine: string;
beforeAll(async () => {
  cloud = await startCloud();
  engine = process.env["AWS_ENDPOINT_URL_DYNAMODB"]!;
});
afterAll(() => cloud.stop());

const key = (sk: string): Dynamo.Key => ({ pk: "TEST", sk });

/** A server between this process and the table for one test. */
async function between(
  listener: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>,
) {
  const server = createServer((incoming, response) => void listener(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env["AWS_ENDPOINT_URL_DYNAMODB"] =
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    process.env["AWS_ENDPOINT_URL_DYNAMODB"] = engine;
    server.closeAllConnections();
    server.close();
  });
}

/** The table's response to a request. */
async function forward(incoming: IncomingMessage) {
  const body = await AwsRequest.readBody(incoming);
  const { method, url, headers } = incoming;
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    request(engine + url, { method, headers }, resolve)
      .on("error", reject)
      .end(body),
  );
  return { status: answer.statusCode!, body: await AwsRequest.readBody(answer) };
}

const canceled = (...codes: string[]) =>
  JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

test("a transaction makes all of its writes", async () => {
  await Dynamo.put({ item: { ...key("all-1"), map: { old: 1, kept: 2 }, count: 1 } });
  await Dynamo.put({ item: key("all-2") });
  const results = await Dynamo.transact([
    {
      update: {
        key: key("all-1"),
        set: { "map.img_1": { bytes: 3 }, nothing: undefined },
        remove: ["map.old"],
        add: { count: 2 },
        condition: "#count <= :max AND size(#map) < :three",
        values: { max: 1, three: 3 },
      },
    },
    { remove: { key: key("all-2"), condition: "attribute_exists(#pk)" } },
    { put: { item: { ...key("all-3"), a: 1 }, condition: "attribute_not_exists(#pk)" } },
    { check: { key: key("all-4"), condition: "attribute_not_exists(#pk)" } },
  ]);
  expect(results).toEqual(Array(4).fill({ isMet: true }));
  expect(await Dynamo.get(key("all-1"))).toMatchObject({
    map: { kept: 2, img_1: { bytes: 3 } },
    count: 3,
  });
  expect(await Dynamo.get(key("all-2"))).toBeUndefined();
  expect(await Dynamo.get(key("all-3"))).toMatchObject({ a: 1 });
});

test("of a transaction with a condition that is not met nothing is written, and the result has the stored item", async () => {
  await Dynamo.put({ item: { ...key("none-1"), a: 1 } });
  const results = await Dynamo.transact([
    { put: { item: key("none-2") } },
    { put: { item: key("none-1"), condition: "attribute_not_exists(#pk)" } },
    { check: { key: key("none-3"), condition: "attribute_exists(#pk)" } },
  ]);
  expect(results).toEqual([
    { isMet: true },
    { isMet: false, item: { ...key("none-1"), a: 1 } },
    { isMet: false, item: undefined },
  ]);
  expect(await Dynamo.get(key("none-2"))).toBeUndefined();
});

test("a transaction whose response is lost is repeated and made once", async () => {
  await Dynamo.put({ item: { ...key("once"), count: 0 } });
  let requests = 0;
  await between(async (incoming, response) => {
    requests += 1;
    const { status, body } = await forward(incoming);
    if (requests === 1) response.destroy();
    else response.writeHead(status).end(body);
  });
  const add = { update: { key: key("once"), add: { count: 1 } } };
  const isNew = { put: { item: key("new"), condition: "attribute_not_exists(#pk)" } };
  expect(await Dynamo.transact([add, isNew])).toEqual([{ isMet: true }, { isMet: true }]);
  expect(requests).toBe(2);
  expect(await Dynamo.get(key("once"))).toMatchObject({ count: 1 });
});

test("a transaction that meets another one, and a write that meets a transaction, are tried again", async () => {
  let requests = 0;
  const conflict = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
  await between(async (incoming, response) => {
    requests += 1;
    const isTransaction = String(incoming.headers["x-amz-target"]).endsWith("TransactWriteItems");
    if (requests % 4 !== 0) {
      const body = isTransaction
        ? canceled("None", "TransactionConflict")
        : JSON.stringify({ __type: conflict });
      incoming.resume();
      response.writeHead(400).end(body);
      return;
    }
    const { status, body } = await forward(incoming);
    response.writeHead(status).end(body);
  });
  const puts = ["one", "two"].map((sk) => ({ put: { item: key(sk) } }));
  expect(await Dynamo.transact(puts)).toEqual([{ isMet: true }, { isMet: true }]);
  expect(requests).toBe(4);
  requests = 1;
  expect(await Dynamo.put({ item: key("three") })).toBe(true);
  expect(requests).toBe(4);
});

test("a transaction that is canceled for another reason is an error at once", async () => {
  let requests = 0;
  await between(async (incoming, response) => {
    requests += 1;
    incoming.resume();
    response.writeHead(400).end(canceled("ItemCollectionSizeLimitExceeded"));
  });
  await expect(Dynamo.transact([{ put: { item: key("x") } }])).rejects.toThrow("Canceled");
  expect(requests).toBe(1);
});
