import { gateway } from "./gateway.ts";
import * as Settings from "./settings.ts";

const { addressLimit } = Settings.ofStage($app.stage);

/**
 * Refuses the requests of an address that makes too many, with 403 `gateway.waf_filtered`, before the gateway does anything.
 * WAF counts about every ten seconds, so a short burst passes: the throttles are for that. The endpoint has IPv4 only; one
 * client with IPv6 would have any number of addresses. Call it after the stage is deployed.
 * https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
 */
export function addAddressLimit() {
  if (!addressLimit) return;
  const visible = (metricName: string) => ({
    cloudwatchMetricsEnabled: true,
    metricName,
    // whole requests, with their tokens
    sampledRequestsEnabled: false,
  });
  const acl = new aws.wafv2.WebAcl("ApiFirewall", {
    scope: "REGIONAL",
    defaultAction: { allow: {} },
    visibilityConfig: visible("ApiFirewall"),
    rules: [
      {
        name: "requests-per-address",
        priority: 0,
        action: { block: {} },
        statement: {
          rateBasedStatement: {
            aggregateKeyType: "IP",
            limit: addressLimit.requests,
            evaluationWindowSec: addressLimit.seconds,
          },
        },
        visibilityConfig: visible("RequestsPerAddress"),
      },
    ],
  });
  new aws.wafv2.WebAclAssociation("ApiFirewallOfStage", {
    resourceArn: gateway.nodes.stage!.arn,
    webAclArn: acl.arn,
  });
}
