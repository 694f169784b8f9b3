import { createHash } from "node:crypto";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, expire } from "../test/samples.ts";
import * as Dynamo from "./dynamo.ts";
import * as Idempotency from "./idempotency.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

type Run = (attempt: Idempotency.Attempt) => Promise<Idempotency.Outcome>;

/** The attempt that ran; rejects if none did. */
async function runOnce(
  key: string,
  { content = "a", route = "POST /x", user = "ann" } = {},
  run: Run = async () => "done",
) {
  let attempt: Idempotency.Attempt | undefined;
  await as(user, () =>
    Idempotency.runOnce({ key, content, route }, (own) => {
      attempt = own;
      return run(own);
    }),
  );
  return attempt!;
}

test("the same request again is a replay for the same image", async () => {
  const first = await runOnce("k1");
  expect(first.isReplay).toBe(false);
  for (let n = 0; n < 2; n++)
    expect(await runOnce("k1")).toEqual({ imageId: first.imageId, isReplay: true });
});

test("an attempt is known to everything that it calls, and to nothing else", async () => {
  let seen: unknown;
  const attempt = await runOnce("k1b", undefined, async () => {
    seen = Idempotency.currentAttempt();
    return "done";
  });
  expect([seen, Idempotency.currentAttempt()]).toEqual([attempt, undefined]);
});

test("another request with the same key is refused; other users and other routes have their own keys", async () => {
  const first = await runOnce("k2");
  await expect(runOnce("k2", { content: "b" })).rejects.toMatchObject({
    kind: "unprocessable",
    code: "idempotency.other_request",
  });
  const others = [await runOnce("k2", { user: "bo" }), await runOnce("k2", { route: "POST /y" })];
  for (const other of others) {
    expect(other.isReplay).toBe(false);
    expect(other.imageId).not.toBe(first.imageId);
  }
});

test("of thirty equal requests at once one runs, and the others are told to try again", async () => {
  const othersAreRefused = Promise.withResolvers<void>();
  let runs = 0;
  const slow: Run = async () => {
    runs += 1;
    await othersAreRefused.promise;
    return "done";
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
  expect(runs).toBe(1);
  const refused = all.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(29);
  for (const { reason } of refused as PromiseRejectedResult[])
    expect(reason).toMatchObject({
      kind: "conflict",
      code: "idempotency.in_progress",
      retryAfterSeconds: 1,
    });
  expect((await runOnce("k3")).isReplay).toBe(true);
});

test("after a refusal, the key can be used for another request", async () => {
  const refused = await runOnce("k4", undefined, async () => "refused");
  const corrected = await runOnce("k4", { content: "corrected" });
  expect(corrected).toMatchObject({ isReplay: false });
  expect(corrected.imageId).not.toBe(refused.imageId);
});

test.each<[string, Run]>([
  ["an error", () => Promise.reject(new Error("no"))],
  ["a failure", async () => "failed"],
])("after %s, the same request continues at once with the same image", async (name, run) => {
  let first: Idempotency.Attempt | undefined;
  const failing = runOnce(name, undefined, (attempt) => {
    first = attempt;
    return run(attempt);
  });
  await failing.catch(() => undefined);
  await expect(runOnce(name, { content: "other" })).rejects.toMatchObject({
    code: "idempotency.other_request",
  });
  expect(await runOnce(name)).toEqual({ imageId: first!.imageId, isReplay: false });
  expect(await runOnce(name)).toEqual({ imageId: first!.imageId, isReplay: true });
});

test("a request that never ended is continued after 30 seconds with the same image, and its late end changes nothing", async () => {
  const [started, end] = [
    Promise.withResolvers<Idempotency.Attempt>(),
    Promise.withResolvers<Idempotency.Outcome>(),
  ];
  const stuck = runOnce("k5", undefined, (attempt) => {
    started.resolve(attempt);
    return end.promise;
  });
  const { imageId } = await started.promise;
  await expect(runOnce("k5")).rejects.toMatchObject({ code: "idempotency.in_progress" });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
  const second = await runOnce("k5").finally(() => vi.useRealTimers());
  expect(second).toEqual({ imageId, isReplay: false });
  end.resolve("refused");
  await stuck;
  expect(await runOnce("k5")).toEqual({ imageId, isReplay: true });
});

test("an expired key can be used for another request", async () => {
  await runOnce("k6");
  await expire(rowKey("k6"));
  expect((await runOnce("k6", { content: "something else" })).isReplay).toBe(false);
});

test("a row has nothing of the response", async () => {
  await runOnce("k7");
  expect(Object.keys((await Dynamo.get(rowKey("k7")))!).toSorted()).toEqual(
    ["pk", "sk", "writeId", "attempt", "expiresAt", "fingerprint", "imageId"].toSorted(),
  );
});

/** The key of the row for one of ann's idempotency keys. */
function rowKey(key: string): Dynamo.Key {
  const sk = createHash("sha256").update(`POST /x\n${key}`).digest("hex");
  return { pk: "IDEMPOTENCY#ann", sk };
}
