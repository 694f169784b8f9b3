import * as Policy from "../iam/policy.ts";
import type { RequestContext, ResourcePolicy } from "./types.ts";
import { GatewayError } from "./gateway-error.ts";

/**
 * Compiles a resource policy. Its explicit Deny comes before any authorizer. A method without an authorizer needs its Allow.
 * With AWS_IAM it is evaluated together with the policies of the caller, after the signature. AWS's page contradicts itself
 * on whether it must also allow what a Cognito or Lambda authorizer allows; here it must.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
 */
export function compile(document: string, executionArn: string): ResourcePolicy {
  // a resource may omit the API: `execute-api:/stage/*`
  const statements = Policy.parse(
    document.replaceAll('"execute-api:/', `"${executionArn}/`),
    "the resource policy",
  );
  function check(context: RequestContext, methodArn: string) {
    const decision = Policy.evaluate(statements, {
      action: "execute-api:Invoke",
      resource: methodArn,
      context: { "aws:SourceIp": context.identity.sourceIp },
      principal: { AWS: "*" },
    });
    if (decision.allowed) return;
    const how = decision.explicitDeny
      ? "with an explicit deny in a resource-based policy"
      : "because no resource-based policy allows the execute-api:Invoke action";
    const masked = methodArn.replace(/:\d{8}(\d{4}):/, ":********$1:");
    throw new GatewayError("ACCESS_DENIED", {
      text: `User: anonymous is not authorized to perform: execute-api:Invoke on resource: ${masked} ${how}`,
    });
  }
  return { check, statements };
}
