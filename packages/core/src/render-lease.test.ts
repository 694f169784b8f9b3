import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, readyImage } from "../test/make.ts";
import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as RenderLease from "./render-lease.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const both = [
  ["counted", true],
  ["free", false],
] as const;

const take = async (imageId: ImageId, plan: string, isCounted: boolean) =>
  RenderLease.take({ imageId, plan, isCounted });

async function taken(imageId: ImageId, plan: string, isCounted: boolean) {
  const it = await take(imageId, plan, isCounted);
  if (it.state !== "mine") throw new Error(`${plan} is ${it.state}`);
  return it.lease;
}

test("so many plans of an image are free, each as often as one likes, however many come at once", async () => {
  const id = await readyImage();
  const asked = Array.from({ length: RenderLease.MOST_PLANS + 40 }, (_, index) => `plan${index}`);
  const all = await Promise.all(asked.map((plan) => take(id, plan, true)));
  const mine = all.flatMap((it) => (it.state === "mine" ? it.lease : []));
  expect(mine.length).toBe(RenderLease.MOST_PLANS);
  expect(all.filter(({ state }) => state === "spent").length).toBe(40);
  await Promise.all(mine.map(RenderLease.release));
  for (const [index, plan] of asked.entries())
    expect((await take(id, plan, true)).state).toBe(all[index]!.state);

  expect((await take(id, "plan200", false)).state).toBe("mine");
  expect((await take(await readyImage(), "plan200", true)).state).toBe("mine");
});

test.each(both)("of many who want the same %s plan at once one makes it", async (_, isCounted) => {
  const id = await readyImage();
  const all = await Promise.all(Array.from({ length: 30 }, () => take(id, "one", isCounted)));
  expect(all.filter(({ state }) => state === "mine").length).toBe(1);
  expect(all.filter(({ state }) => state === "held").length).toBe(29);
  expect((await take(id, "other", isCounted)).state).toBe("mine");
});

test.each(both)("a %s lease ends by itself, unless it is renewed", async (_, isCounted) => {
  const id = await readyImage();
  const [dead, alive] = [await taken(id, "dead", isCounted), await taken(id, "alive", isCounted)];
  await sleep(RenderLease.LEASE_MS - 500);
  await RenderLease.renew(alive);
  expect((await take(id, "dead", isCounted)).state).toBe("held");
  await sleep(600);
  const heir = await taken(id, "dead", isCounted);
  expect((await take(id, "alive", isCounted)).state).toBe("held");

  // who was thought to be dead does not disturb who took over
  await RenderLease.renew(dead);
  await RenderLease.refuse(dead, { kind: "invalid", code: "a.b", detail: "No" });
  await RenderLease.release(dead);
  expect(await take(id, "dead", isCounted)).toEqual({ state: "held", refusal: undefined });
  await RenderLease.release(heir);
  await taken(id, "dead", isCounted);
});

test.each(both)("whoever waits for a %s plan that is refused is told so", async (_, isCounted) => {
  const id = await readyImage();
  const lease = await taken(id, "one", isCounted);
  const refusal = { kind: "unprocessable", code: "image.damaged", detail: "It is damaged" };
  await RenderLease.refuse(lease, refusal);
  expect(await take(id, "one", isCounted)).toEqual({ state: "held", refusal });
});

test("a lease costs one write, with a budget or without, and all goes with its image", async () => {
  const id = await readyImage();
  for (const [, isCounted] of both)
    expect(await cloud.callsOfTable(() => take(id, "one", isCounted))).toEqual(["UpdateItem"]);
  const rows: Dynamo.Item[] = [];
  for await (const row of Dynamo.query(RenderLease.ofImage(id))) rows.push(row);
  expect(rows.map(({ sk, expiresAt }) => [sk, typeof expiresAt])).toEqual([
    ["BUDGET", "number"],
    ["PLAN#one", "number"],
  ]);
  await as("ann", () => Image.remove(id));
  await Ingest.erase(id);
  expect(await Dynamo.count(RenderLease.ofImage(id))).toBe(0);
});
