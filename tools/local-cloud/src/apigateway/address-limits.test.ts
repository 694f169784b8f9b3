import { expect, test } from "vitest";

import { createClock } from "../clock.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { createAddressLimits } from "./address-limits.ts";
import { GatewayError } from "./gateway-error.ts";
import { region, account, resource } from "./gateway.fixture.ts";
import type { PartialRequestContext } from "./types.ts";

const aclArn = `arn:aws:wafv2:${region}:${account}:regional/webacl/acl/1`;
const stageArn = `arn:aws:apigateway:${region}::/restapis/api1/stages/t`;

function startLimits(
  { limit = 10, seconds = 60, prefix = "" } = {},
  { resourceArn = stageArn, webAclArn = aclArn } = {},
) {
  const clock = createClock();
  let now = Date.UTC(2026, 0, 1);
  const scopeDownStatement = {
    byteMatchStatement: {
      fieldToMatch: { uriPath: {} },
      positionalConstraint: "STARTS_WITH",
      searchString: prefix,
      textTransformations: [{ priority: 0, type: "NONE" }],
    },
  };
  const rateBasedStatement = {
    aggregateKeyType: "IP",
    limit,
    evaluationWindowSec: seconds,
    ...(prefix && { scopeDownStatement }),
  };
  const rules = [
    { name: "r", priority: 0, action: { block: {} }, statement: { rateBasedStatement } },
  ];
  const graph = parseGraph({
    app: "test",
    stage: "t",
    region,
    account,
    functions: {},
    resources: [
      resource(
        "aws:wafv2/webAcl:WebAcl",
        "acl",
        { scope: "REGIONAL", defaultAction: { allow: {} }, rules },
        { arn: aclArn },
      ),
      resource("aws:wafv2/webAclAssociation:WebAclAssociation", "association", {
        resourceArn,
        webAclArn,
      }),
    ],
  });
  const limits = createAddressLimits(graph, { ...clock, now: () => now });
  return {
    pass: (ms: number) => void (now += ms),
    /** Returns whether a request of the address passes. */
    request(sourceIp: string, { path = "/t/x", stage = "t" } = {}): boolean {
      try {
        limits.check({
          stage: { name: stage, api: { id: "api1" } },
          identity: { sourceIp },
          fullPath: path,
        } as PartialRequestContext);
        return true;
      } catch (error) {
        if (error instanceof GatewayError && error.type === "WAF_FILTERED") return false;
        throw error;
      }
    },
  };
}

const times = (number: number, send: () => boolean) =>
  Array.from({ length: number }, send).filter(Boolean).length;

test("each address has its own count, and other stages have none", () => {
  const { request } = startLimits();
  expect(times(15, () => request("192.0.2.1"))).toBe(10);
  expect(times(15, () => request("192.0.2.2"))).toBe(10);
  expect(times(15, () => request("192.0.2.1", { stage: "other" }))).toBe(15);
});

test("the window slides, and blocked requests count too", () => {
  const { request, pass } = startLimits();
  expect(times(6, () => request("192.0.2.1"))).toBe(6);
  pass(30_000);
  expect(times(6, () => request("192.0.2.1"))).toBe(4);
  pass(31_000);
  // the first six are over; the six of the second half minute still count
  expect(times(6, () => request("192.0.2.1"))).toBe(4);
  pass(59_000);
  expect(request("192.0.2.1")).toBe(true);
});

test("an address that never stops stays blocked, and one that waits a window starts again", () => {
  const { request, pass } = startLimits({ seconds: 300 });
  let passed = 0;
  for (let second = 0; second < 600; second++) {
    passed += Number(request("192.0.2.1"));
    pass(1000);
  }
  expect(passed).toBe(10);
  pass(300_000);
  expect(times(15, () => request("192.0.2.1"))).toBe(10);
});

test("only paths with the prefix count", () => {
  const { request } = startLimits({ prefix: "/t/up" });
  expect(times(20, () => request("192.0.2.1", { path: "/t/other" }))).toBe(20);
  expect(times(20, () => request("192.0.2.1", { path: "/t/uploads" }))).toBe(10);
});

test("an association with something else stops the start", () => {
  for (const wrong of [{ resourceArn: `${stageArn}/more` }, { webAclArn: `${aclArn}2` }])
    expect(() => startLimits({}, wrong)).toThrow(/web ACL association association/);
});
