import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, readyImage } from "../test/samples.ts";
import * as Erase from "./erase.ts";
import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as Image from "./image.ts";
import * as RenderLease from "./render-lease.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());
afterEach(() => void vi.useRealTimers());

const withAndWithoutBudget = [
  ["that needs the budget", true],
  ["that needs no budget", false],
] as const;

const acquire = async (imageId: ImageId, plan: string, needsBudget: boolean) =>
  RenderLease.acquire({ imageId, plan, needsBudget });

async function acquired(imageId: ImageId, plan: string, needsBudget: boolean) {
  const result = await acquire(imageId, plan, needsBudget);
  if (result.type !== "acquired") throw new Error(`the lease on ${plan} is ${result.type}`);
  return result.lease;
}

/** Only `Date` is replaced: requests need the real timers. */
function useVirtualDate() {
  vi.useFakeTimers({ toFake: ["Date"] });
  return { advance: (ms: number) => vi.setSystemTime(Date.now() + ms) };
}

test("an image has a budget of 64 plans, each of them any number of times, however many are requested at once", async () => {
  const id = await readyImage();
  const plans = Array.from(
    { length: RenderLease.MAX_PLANS_PER_IMAGE + 40 },
    (_, index) => `plan${index}`,
  );
  const results = await Promise.all(plans.map((plan) => acquire(id, plan, true)));
  const leases = results.flatMap((result) => (result.type === "acquired" ? result.lease : []));
  expect(leases.length).toBe(64);
  expect(results.filter(({ type }) => type === "budgetSpent").length).toBe(40);
  await Promise.all(leases.map(RenderLease.release));
  // a plan in the budget stays in it, and every other one stays out
  const some = [...plans.entries()].filter(([index]) => index % 10 === 0);
  for (const [index, plan] of some)
    expect((await acquire(id, plan, true)).type).toBe(results[index]!.type);

  expect((await acquire(id, "plan200", false)).type).toBe("acquired");
  expect((await acquire(await readyImage(), "plan200", true)).type).toBe("acquired");
});

test.each(withAndWithoutBudget)(
  "of thirty processes that want a plan %s at once, one acquires the lease",
  async (_, needsBudget) => {
    const id = await readyImage();
    const results = await Promise.all(
      Array.from({ length: 30 }, () => acquire(id, "one", needsBudget)),
    );
    expect(results.filter(({ type }) => type === "acquired").length).toBe(1);
    expect(results.filter(({ type }) => type === "heldByAnother").length).toBe(29);
    expect((await acquire(id, "other", needsBudget)).type).toBe("acquired");
  },
);

test.each(withAndWithoutBudget)(
  "the lease on a plan %s expires after four seconds, unless it is renewed",
  async (_, needsBudget) => {
    const id = await readyImage();
    const date = useVirtualDate();
    const dead = await acquired(id, "dead", needsBudget);
    const alive = await acquired(id, "alive", needsBudget);
    date.advance(RenderLease.LEASE_MS - 1);
    await RenderLease.renew(alive);
    expect((await acquire(id, "dead", needsBudget)).type).toBe("heldByAnother");
    date.advance(1);
    const successor = await acquired(id, "dead", needsBudget);
    expect((await acquire(id, "alive", needsBudget)).type).toBe("heldByAnother");

    // the first holder cannot change the lease of its successor
    await RenderLease.renew(dead);
    await RenderLease.recordRefusal(dead, { kind: "invalid", code: "a.b", detail: "No" });
    await RenderLease.release(dead);
    expect(await acquire(id, "dead", needsBudget)).toEqual({
      type: "heldByAnother",
      refusal: undefined,
    });
    await RenderLease.release(successor);
    await acquired(id, "dead", needsBudget);
  },
);

test.each(withAndWithoutBudget)(
  "the refusal of a plan %s is returned to every process that asks, for five seconds",
  async (_, needsBudget) => {
    const id = await readyImage();
    const date = useVirtualDate();
    const lease = await acquired(id, "one", needsBudget);
    const refusal = { kind: "unprocessable", code: "image.damaged", detail: "It is damaged" };
    await RenderLease.recordRefusal(lease, refusal);
    date.advance(4_999);
    expect(await acquire(id, "one", needsBudget)).toEqual({ type: "heldByAnother", refusal });
    date.advance(1);
    await acquired(id, "one", needsBudget);
  },
);

test("a lease costs one write, with or without the budget, and all rows have a TTL and go with their image", async () => {
  const id = await readyImage();
  for (const [, needsBudget] of withAndWithoutBudget)
    expect(await cloud.tableRequests(() => acquire(id, "one", needsBudget))).toEqual([
      "UpdateItem",
    ]);
  const rows = await Dynamo.queryAll(RenderLease.imageQuery(id));
  expect(rows.map(({ sk, expiresAt }) => [sk, typeof expiresAt])).toEqual([
    ["BUDGET", "number"],
    ["PLAN#one", "number"],
  ]);
  await as("ann", () => Image.remove(id));
  await Erase.removeRows(id);
  expect(await Dynamo.count(RenderLease.imageQuery(id))).toBe(0);
});
