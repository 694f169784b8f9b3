import * as Policy from "../../iam/policy.ts";
import { GatewayError } from "../gateway-error.ts";

/** The result of an authorizer function. */
export type AuthorizerOutput = {
  principalId: string;
  statements: Policy.Statement[];
  context: Record<string, string>;
  apiKey: string | undefined;
};

/** Parses the result of an authorizer function. @throws GatewayError if it is invalid. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html */
export function parseAuthorizerOutput(payload: Buffer): AuthorizerOutput {
  try {
    const output = JSON.parse(payload.toString("utf8"));
    const { principalId, policyDocument, context = {}, usageIdentifierKey } = output;
    if (typeof principalId !== "string" || principalId === "") throw new Error("no principalId");
    if (!policyDocument?.Statement) throw new Error("no policyDocument");
    const statements = Policy.parse(policyDocument, "the authorizer's policy");
    return {
      principalId,
      statements,
      context: scalars(context ?? {}),
      apiKey: usageIdentifierKey,
    };
  } catch (cause) {
    throw new GatewayError("AUTHORIZER_CONFIGURATION_ERROR", { cause });
  }
}

function scalars(context: Record<string, unknown>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(context)) {
    if (!["string", "number", "boolean"].includes(typeof value))
      throw new Error(`context.${name} is neither a string, a number nor a boolean`);
    texts[name] = String(value);
  }
  return texts;
}

/** Evaluates the policy for the ARN of one request. @throws GatewayError ACCESS_DENIED */
export function assertAllowed({ statements }: AuthorizerOutput, arn: string) {
  const decision = Policy.evaluate(statements, { action: "execute-api:Invoke", resource: arn });
  if (decision.allowed) return;
  const text = "User is not authorized to access this resource";
  throw new GatewayError("ACCESS_DENIED", {
    text: decision.explicitDeny
      ? `${text} with an explicit deny in an identity-based policy`
      : text,
  });
}
