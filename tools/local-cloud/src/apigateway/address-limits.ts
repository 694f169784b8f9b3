import type { Clock } from "../clock.ts";
import { type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";
import { StartError } from "../start-error.ts";
import { GatewayError } from "./gateway-error.ts";
import type { PartialRequestContext } from "./types.ts";

/** A rate-based rule of a web ACL: how many requests an address may make within the window. */
type Rule = {
  name: string;
  limit: number;
  windowMs: number;
  /** Only paths that begin so count, with the stage; undefined: all. */
  pathPrefix: string | undefined;
  byAddress: Map<string, Count>;
};

/** Requests in the present slice of time and in those before it, the latest last. */
type Count = { slice: number; requests: number[] };

export type AddressLimits = ReturnType<typeof createAddressLimits>;

/** "AWS WAF checks the rate of requests about every 10 seconds"; the laptop is exact [choice]. */
const SLICE_MS = 1_000;
const MAX_ADDRESSES = 10_000;
const DEFAULT_WINDOW_SECONDS = 300;

/**
 * Evaluates the web ACLs that are associated with stages of REST APIs, by the virtual clock. WAF comes before routing and
 * every authorization [V-DOC], and counts the requests that it blocks, too.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html,
 * https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
 *
 * @throws StartError for an association with anything but a stage and a web ACL of the graph
 */
export function createAddressLimits(graph: ResourceGraph, clock: Clock) {
  const rulesByStage = new Map<string, Rule[]>();
  const acls = new Map(
    resourcesOf(graph, "aws:wafv2/webAcl:WebAcl").map(({ outputs, inputs }) => [
      outputs.arn,
      (inputs.rules ?? []).toSorted((one, other) => one.priority - other.priority).map(toRule),
    ]),
  );
  for (const { name, inputs } of resourcesOf(
    graph,
    "aws:wafv2/webAclAssociation:WebAclAssociation",
  )) {
    const [, stage] = /::\/restapis\/(\w+\/stages\/\w+)$/.exec(inputs.resourceArn) ?? [];
    const rules = acls.get(inputs.webAclArn);
    if (!stage || !rules)
      throw new StartError(
        `The web ACL association ${name} is not of a stage of a REST API and a web ACL of this graph.`,
      );
    rulesByStage.set(stage.replace("/stages/", "/"), rules);
  }

  return {
    /** Counts the request. @throws GatewayError WAF_FILTERED if its address made too many */
    check({ stage, identity, fullPath }: PartialRequestContext) {
      const rules = stage && rulesByStage.get(`${stage.api.id}/${stage.name}`);
      for (const rule of rules ?? []) {
        if (rule.pathPrefix !== undefined && !fullPath.startsWith(rule.pathPrefix)) continue;
        if (count(rule, identity.sourceIp, clock.now()) > rule.limit)
          throw new GatewayError("WAF_FILTERED");
      }
    },
  };
}

type RuleInputs = {
  name: string;
  statement: {
    rateBasedStatement: {
      limit: number;
      evaluationWindowSec?: number | undefined;
      scopeDownStatement?: { byteMatchStatement: { searchString: string } } | undefined;
    };
  };
};

const toRule = ({ name, statement: { rateBasedStatement: rate } }: RuleInputs): Rule => ({
  name,
  limit: rate.limit,
  windowMs: (rate.evaluationWindowSec ?? DEFAULT_WINDOW_SECONDS) * 1000,
  pathPrefix: rate.scopeDownStatement?.byteMatchStatement.searchString,
  byAddress: new Map(),
});

/** Returns the number of requests of the address within the window, this one included. */
function count({ windowMs, byAddress }: Rule, address: string, now: number): number {
  const slices = windowMs / SLICE_MS;
  const slice = Math.floor(now / SLICE_MS);
  const found = byAddress.get(address) ?? { slice, requests: [0] };
  const passed = Math.min(Math.max(0, slice - found.slice), slices);
  const requests = [...found.requests, ...Array.from({ length: passed }, () => 0)].slice(-slices);
  requests[requests.length - 1]! += 1;
  byAddress.delete(address);
  byAddress.set(address, { slice, requests });
  // the address that was seen first is the oldest key of the map
  if (byAddress.size > MAX_ADDRESSES) byAddress.delete(byAddress.keys().next().value!);
  return requests.reduce((sum, one) => sum + one, 0);
}
