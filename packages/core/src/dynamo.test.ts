import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { forward, loseAnswer, withTableProxy } from "../test/table-proxy.ts";
import * as Dynamo from "./dynamo.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const key = (sk: string): Dynamo.Key => ({ pk: "TEST", sk });

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
  await withTableProxy(async (incoming, response) => {
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
  await withTableProxy(async (incoming, response) => {
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
  await withTableProxy(async (incoming, response) => {
    requests += 1;
    incoming.resume();
    response.writeHead(400).end(canceled("ItemCollectionSizeLimitExceeded"));
  });
  await expect(Dynamo.transact([{ put: { item: key("x") } }])).rejects.toThrow("Canceled");
  expect(requests).toBe(1);
});

test("a conditional put whose answer is lost recognises itself when it is repeated", async () => {
  await loseAnswer(1);
  const put = { item: { ...key("put"), a: 1 }, condition: "attribute_not_exists(#pk)" };
  expect(await Dynamo.put(put)).toBe(true);
  expect(await Dynamo.put(put)).toBe(false);
});

test("a conditional update whose answer is lost is made once, and returns the item after it", async () => {
  await Dynamo.put({ item: { ...key("update"), version: 1 } });
  // a change without a condition in between does not hide the first one
  await loseAnswer(1, () => Dynamo.update({ key: key("update"), set: { other: true } }));
  const update = {
    key: key("update"),
    set: { title: "new" },
    add: { version: 1 },
    condition: "#version = :before",
    values: { before: 1 },
  };
  expect(await Dynamo.update(update)).toMatchObject({
    title: "new",
    other: true,
    version: 2,
  });
  expect(await Dynamo.update(update)).toBeUndefined();
});

test("a conditional removal whose answer is lost counts as made, and one that had an answer does not", async () => {
  const remove = { key: key("remove"), condition: "attribute_exists(#pk)" };
  expect(await Dynamo.remove(remove)).toBe(false);
  await Dynamo.put({ item: key("remove") });
  await loseAnswer(1);
  expect(await Dynamo.remove(remove)).toBe(true);
  expect(await Dynamo.remove(remove)).toBe(false);
});

test("a write of another process is not taken for one's own", async () => {
  const put = (a: number) =>
    Dynamo.put({ item: { ...key("other"), a }, condition: "attribute_not_exists(#pk)" });
  expect(await put(1)).toBe(true);
  await loseAnswer(1);
  expect(await put(2)).toBe(false);
  expect(await Dynamo.get(key("other"))).toMatchObject({ a: 1 });
});

test("a removal does not count as made while another item is there", async () => {
  await Dynamo.put({ item: { ...key("taken"), owner: "bo" } });
  await loseAnswer(1);
  const condition = { condition: "#owner = :owner", values: { owner: "ann" } };
  expect(await Dynamo.remove({ key: key("taken"), ...condition })).toBe(false);
});
