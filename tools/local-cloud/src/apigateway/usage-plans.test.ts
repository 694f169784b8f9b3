import { expect, test } from "vitest";

import { createClock } from "../clock.ts";
import type { RequestContext } from "./types.ts";
import { type UsagePlan, createUsagePlans } from "./usage-plans.ts";

const limits: Record<string, Pick<UsagePlan, "throttle" | "quota">> = {
  throttle: { throttle: { rateLimit: 0, burstLimit: 1 }, quota: undefined },
  quota: { throttle: undefined, quota: { limit: 1, offset: 0, period: "DAY" } },
};

test.each(Object.keys(limits))("each API key of a plan has its own %s", (name) => {
  const plan: UsagePlan = {
    id: "plan1",
    keys: new Set(["first", "second"]),
    stages: new Map([["api1/t", new Map()]]),
    ...limits[name]!,
  };
  const usage = createUsagePlans(
    { keys: [], plans: [plan], methodSettings: new Map() },
    createClock(),
  );
  const call = (apiKeyId: string) => usage.checkLimits(requestWithKey(apiKeyId), plan);
  call("first");
  expect(() => call("first")).toThrow(/Too Many Requests|Limit Exceeded/);
  expect(() => call("second")).not.toThrow();
});

/** Returns the fields of a request that the limits depend on. */
const requestWithKey = (apiKeyId: string) =>
  ({
    stage: { name: "t", api: { id: "api1" } },
    method: { resourcePath: "/k" },
    httpMethod: "GET",
    identity: { apiKeyId },
  }) as RequestContext;
