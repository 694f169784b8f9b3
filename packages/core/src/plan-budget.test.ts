import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, readyImage } from "../test/make.ts";
import * as Dynamo from "./dynamo.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as PlanBudget from "./plan-budget.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const plans = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `plan-${from + index}`);

test("so many plans of an image are free, each as often as one likes, however many come at once", async () => {
  const id = await readyImage();
  const asked = plans(PlanBudget.MOST_PLANS + 40);
  const allowed = await Promise.all(asked.map((plan) => PlanBudget.spend(id, plan)));
  expect(allowed.filter(Boolean).length).toBe(PlanBudget.MOST_PLANS);
  for (const [index, plan] of asked.entries())
    expect(await PlanBudget.spend(id, plan)).toBe(allowed[index]);
  expect(await PlanBudget.spend(await readyImage(), "plan-200")).toBe(true);
});

test("a budget costs one write, and goes with its image", async () => {
  const id = await readyImage();
  expect(await cloud.callsOfTable(() => PlanBudget.spend(id, "one"))).toEqual(["UpdateItem"]);
  await as("ann", () => Image.remove(id));
  await Ingest.erase(id);
  expect(await Dynamo.count({ when: "#pk = :pk", values: { pk: `MADE#${id}` } })).toBe(0);
});
