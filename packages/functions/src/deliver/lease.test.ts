import * as Dynamo from "@balde/core/dynamo";
import * as Id from "@balde/core/id";
import * as RenderLease from "@balde/core/render-lease";
import { Refusal } from "@balde/imaging/refusal";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import * as Lease from "./lease.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());
afterEach(() => void vi.useRealTimers());

const wanted = () => ({ imageId: Id.create("image"), plan: "plan", needsBudget: false });
const soon = () => performance.now() + 60_000;

async function acquired(lease: RenderLease.LeaseRequest, deadline = soon()) {
  const result = await Lease.acquire(lease, deadline);
  if (result.type !== "acquired") throw new Error(`the lease is ${result.type}`);
  return result;
}

/** When the lease in the table expires. */
async function expiry({ imageId }: RenderLease.LeaseRequest) {
  for await (const { lease } of Dynamo.query(RenderLease.imageQuery(imageId)))
    return (lease as { expiresAtMs: number }).expiresAtMs;
  return 0;
}

test("a lease that one process has is held for others", async () => {
  const lease = wanted();
  const { end } = await acquired(lease);
  expect(await Lease.acquire(lease, soon())).toEqual({ type: "heldByAnother" });
  await end();
});

test("a lease is renewed each second until it ends", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const lease = wanted();
  const { end } = await acquired(lease);
  let last = await expiry(lease);
  for (let second = 0; second < 3; second++) {
    vi.advanceTimersByTime(RenderLease.RENEW_MS);
    await expect.poll(() => expiry(lease)).toBeGreaterThan(last);
    last = await expiry(lease);
  }
  await end();
  expect(vi.getTimerCount()).toBe(0);
});

test("a lease is not renewed after the deadline, so that others do not wait for a process that hangs", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await acquired(wanted(), performance.now() - 1);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(RenderLease.RENEW_MS);
  expect(vi.getTimerCount()).toBe(0);
});

test("a lease that ends with a refusal refuses others alike; with another error it is free", async () => {
  const refused = wanted();
  await (
    await acquired(refused)
  ).end(new Refusal("unprocessable", "image.damaged", "It is damaged"));
  await expect(Lease.acquire(refused, soon())).rejects.toMatchObject({
    name: "Refusal",
    kind: "unprocessable",
    code: "image.damaged",
    detail: "It is damaged",
  });
  const failed = wanted();
  await Lease.endWhenAcquired(Lease.acquire(failed, soon()), new Error("no connection"));
  await (await acquired(failed)).end();
});

test("a spent budget is remembered", async () => {
  const { imageId } = wanted();
  const plans = Array.from(
    { length: RenderLease.MAX_PLANS_PER_IMAGE },
    (_, index) => `plan${index}`,
  );
  await Promise.all(plans.map((plan) => RenderLease.acquire({ imageId, plan, needsBudget: true })));
  expect(Lease.isBudgetSpent(imageId)).toBe(false);
  const another = { imageId, plan: "another", needsBudget: true };
  expect(await Lease.acquire(another, soon())).toEqual({ type: "overBudget" });
  expect(Lease.isBudgetSpent(imageId)).toBe(true);
});

test("without the table a render goes on, and the log says so", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const lease = wanted();
  const row = { pk: `MADE#${lease.imageId}`, sk: "BUDGET", plans: "not a set" };
  await Dynamo.put({ item: row });
  const { end } = await acquired({ ...lease, needsBudget: true });
  await end(new Error("failed"));
  expect(log).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ message: "An image is rendered without a lease" }),
  );
  log.mockRestore();
});
