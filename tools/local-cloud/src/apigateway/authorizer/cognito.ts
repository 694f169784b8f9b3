import * as MappingExpressions from "../mapping-expressions.ts";
import type { CognitoAuthorizer, RequestContext } from "../types.ts";
import type { Dependencies } from "../dependencies.ts";
import { GatewayError } from "../gateway-error.ts";

/**
 * Authorizes with a user pool token. A method without scopes needs an ID token, one with scopes an access token that has at
 * least one of them. Revocation is not checked. @throws GatewayError UNAUTHORIZED
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
 */
export async function authorizeWithCognito(
  context: RequestContext,
  authorizer: CognitoAuthorizer,
  scopes: string[],
  { userPools }: Dependencies,
): Promise<void> {
  const header = MappingExpressions.evaluate(authorizer.identitySource, context);
  const token = header?.replace(/^Bearer\s+/i, "");
  if (!token) throw new GatewayError("UNAUTHORIZED");
  const claims = await verify(token, authorizer, scopes.length > 0 ? "access" : "id", userPools);
  // matched against `aud`, which only an ID token has [V-DOC]
  if (authorizer.validation && !authorizer.validation.test(asString(claims.aud)))
    throw new GatewayError("UNAUTHORIZED");
  const granted = asString(claims.scope).split(" ");
  if (scopes.length > 0 && !scopes.some((scope) => granted.includes(scope)))
    throw new GatewayError("UNAUTHORIZED");
  context.authorizer = { claims: asStrings(claims) };
}

async function verify(
  token: string,
  { providerArns }: CognitoAuthorizer,
  use: "id" | "access",
  userPools: Dependencies["userPools"],
): Promise<Record<string, unknown>> {
  let expired = false;
  for (const arn of providerArns) {
    const outcome = (await userPools?.verify(token, arn)) ?? { reason: "invalid" };
    if ("reason" in outcome) expired ||= outcome.reason === "expired";
    else if (outcome.claims.token_use === use) return outcome.claims;
  }
  throw new GatewayError("UNAUTHORIZED", expired ? { text: "The incoming token has expired" } : {});
}

/** Returns every claim as text: lists joined by commas, and times as Java prints a date. [V-WILD] */
function asStrings(claims: Record<string, unknown>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(claims)) {
    if (value === undefined || value === null) continue;
    texts[name] = name === "exp" || name === "iat" ? javaDate(Number(value)) : asString(value);
  }
  return texts;
}

function asString(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.join(",");
  return JSON.stringify(value);
}

/** `Mon Jan 01 00:00:00 UTC 2024` */
function javaDate(seconds: number): string {
  const [day, date, month, year, time] = new Date(seconds * 1000).toUTCString().split(/,? /);
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
