import { createHash } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, expire } from "../test/make.ts";
import type * as Dynamo from "./dynamo.ts";
import * as Idempotency from "./idempotency.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

let made = 0;
const answer = (body: string): Idempotency.Answer => ({
  status: 201,
  headers: { location: "/x" },
  body,
});

const once = (
  key: string,
  { content = "a", route = "POST /x", user = "ann" } = {},
  create = async () => ({ answer: answer(`made ${++made}`), isFinal: true }),
) => as(user, () => Idempotency.once({ key, content, route }, create));

test("the same request again has the answer of the first, and nothing is made", async () => {
  const first = await once("k1");
  const before = made;
  expect(await once("k1")).toEqual({ answer: first.answer, isReplayed: true });
  expect(made).toBe(before);
});

test("another request under the key is refused; another person and another route have keys of their own", async () => {
  const { answer } = await once("k2");
  await expect(once("k2", { content: "b" })).rejects.toMatchObject({
    kind: "unprocessable",
    code: "idempotency.other_request",
  });
  const others = [await once("k2", { user: "bo" }), await once("k2", { route: "POST /y" })];
  for (const other of others) {
    expect(other.isReplayed).toBe(false);
    expect(other.answer).not.toEqual(answer);
  }
});

test("of thirty at once one works, and the others are told to wait", async () => {
  const before = made;
  const others = Promise.withResolvers<void>();
  const slow = async () => {
    await others.promise;
    return { answer: answer(`made ${++made}`), isFinal: true };
  };
  let refusals = 0;
  const all = await Promise.allSettled(
    Array.from({ length: 30 }, () =>
      once("k3", undefined, slow).catch((error: unknown) => {
        // the one that works ends last
        if (++refusals === 29) others.resolve();
        throw error;
      }),
    ),
  );
  expect(made).toBe(before + 1);
  const refused = all.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(29);
  for (const { reason } of refused as PromiseRejectedResult[])
    expect(reason).toMatchObject({
      kind: "conflict",
      code: "idempotency.in_progress",
      retryAfterSeconds: 1,
    });
  expect((await once("k3")).isReplayed).toBe(true);
});

test("what came to nothing leaves the key as new", async () => {
  const failing = () => Promise.reject(new Error("no"));
  await expect(once("k4", undefined, failing)).rejects.toThrow("no");
  const refusing = async () => ({ answer: { ...answer("bad"), status: 400 }, isFinal: false });
  expect((await once("k4", undefined, refusing)).answer.status).toBe(400);
  expect((await once("k4", { content: "put right" })).isReplayed).toBe(false);
});

test("work that never ended is done by the next one, and its late end changes nothing", async () => {
  const late = Promise.withResolvers<{ answer: Idempotency.Answer; isFinal: boolean }>();
  const stuck = once("k5", undefined, () => late.promise);
  // until its row is there
  await new Promise((resolve) => setTimeout(resolve, 200));
  await expire(rowOf("k5"));
  const second = await once("k5");
  expect(second.isReplayed).toBe(false);
  late.resolve({ answer: answer("too late"), isFinal: true });
  await stuck;
  expect((await once("k5")).answer).toEqual(second.answer);
});

test("a day later the key is as new", async () => {
  await once("k6");
  await expire(rowOf("k6"));
  expect((await once("k6", { content: "something else" })).isReplayed).toBe(false);
});

/** The key of ann's row for a key of hers. */
function rowOf(key: string): Dynamo.Key {
  const sk = createHash("sha256").update(`POST /x\n${key}`).digest("hex");
  return { pk: "IDEMPOTENCY#ann", sk };
}
