import { createHash } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, expire } from "../test/samples.ts";
import type * as Dynamo from "./dynamo.ts";
import * as Idempotency from "./idempotency.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

let runs = 0;
const response = (body: string): Idempotency.StoredResponse => ({
  status: 201,
  headers: { location: "/x" },
  body,
});

const runOnce = (
  key: string,
  { content = "a", route = "POST /x", user = "ann" } = {},
  run = async () => ({ response: response(`run ${++runs}`), isFinal: true }),
) => as(user, () => Idempotency.runOnce({ key, content, route }, run));

test("the same request again gets the first response, and nothing runs", async () => {
  const first = await runOnce("k1");
  const before = runs;
  expect(await runOnce("k1")).toEqual({ response: first.response, isReplayed: true });
  expect(runs).toBe(before);
});

test("another request with the same key is refused; other users and other routes have their own keys", async () => {
  const first = await runOnce("k2");
  await expect(runOnce("k2", { content: "b" })).rejects.toMatchObject({
    kind: "unprocessable",
    code: "idempotency.other_request",
  });
  const others = [await runOnce("k2", { user: "bo" }), await runOnce("k2", { route: "POST /y" })];
  for (const other of others) {
    expect(other.isReplayed).toBe(false);
    expect(other.response).not.toEqual(first.response);
  }
});

test("of thirty equal requests at once one runs, and the others are told to try again", async () => {
  const before = runs;
  const othersAreRefused = Promise.withResolvers<void>();
  const slow = async () => {
    await othersAreRefused.promise;
    return { response: response(`run ${++runs}`), isFinal: true };
  };
  let refusals = 0;
  const all = await Promise.allSettled(
    Array.from({ length: 30 }, () =>
      runOnce("k3", undefined, slow).catch((error: unknown) => {
        if (++refusals === 29) othersAreRefused.resolve();
        throw error;
      }),
    ),
  );
  expect(runs).toBe(before + 1);
  const refused = all.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(29);
  for (const { reason } of refused as PromiseRejectedResult[])
    expect(reason).toMatchObject({
      kind: "conflict",
      code: "idempotency.in_progress",
      retryAfterSeconds: 1,
    });
  expect((await runOnce("k3")).isReplayed).toBe(true);
});

test("after an error, or a response that is not final, the key can be used again", async () => {
  const fail = () => Promise.reject(new Error("no"));
  await expect(runOnce("k4", undefined, fail)).rejects.toThrow("no");
  const refuse = async () => ({ response: { ...response("bad"), status: 400 }, isFinal: false });
  expect((await runOnce("k4", undefined, refuse)).response.status).toBe(400);
  expect((await runOnce("k4", { content: "corrected" })).isReplayed).toBe(false);
});

test("a request that never ended can be repeated, and its late end changes nothing", async () => {
  const [started, end] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<{ response: Idempotency.StoredResponse; isFinal: boolean }>(),
  ];
  const stuck = runOnce("k5", undefined, () => {
    started.resolve();
    return end.promise;
  });
  await started.promise;
  await expire(rowKey("k5"));
  const second = await runOnce("k5");
  expect(second.isReplayed).toBe(false);
  end.resolve({ response: response("too late"), isFinal: true });
  await stuck;
  expect((await runOnce("k5")).response).toEqual(second.response);
});

test("an expired key can be used for another request", async () => {
  await runOnce("k6");
  await expire(rowKey("k6"));
  expect((await runOnce("k6", { content: "something else" })).isReplayed).toBe(false);
});

/** The key of the row for one of ann's idempotency keys. */
function rowKey(key: string): Dynamo.Key {
  const sk = createHash("sha256").update(`POST /x\n${key}`).digest("hex");
  return { pk: "IDEMPOTENCY#ann", sk };
}
