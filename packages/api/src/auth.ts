import * as Actor from "@balde/core/actor";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./http.ts";

/** Whatever a request does, it does in the name of whom the gateway's authorizer let through; input names nobody. */
export const identify: MiddlewareHandler<Env> = (c, next) => Actor.runAs(actor(c.env.event), next);

/**
 * A Cognito authorizer leaves the ID token's claims, all of them text. A route without one has none, whatever
 * Authorization header was sent: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
 */
function actor({ requestContext }: APIGatewayProxyEvent): Actor.Actor {
  const claims: Record<string, string | undefined> = requestContext.authorizer?.claims ?? {};
  if (!claims.sub) return { type: "public" };
  return { type: "user", id: claims.sub, name: claims["cognito:username"], email: claims.email };
}
