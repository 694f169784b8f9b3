import * as Actor from "@balde/core/actor";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./http.ts";

/** Provides the user that the gateway's authorizer has authenticated as the actor of the request; input never contains it. */
export const provideActor: MiddlewareHandler<Env> = (c, next) =>
  Actor.runAs(actor(c.env.event), next);

/**
 * A Cognito authorizer passes on the claims of the ID token, all of them as text. A route without an authorizer has no
 * claims, even if the request has an Authorization header: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
 */
function actor({ requestContext }: APIGatewayProxyEvent): Actor.Actor {
  const claims: Record<string, string | undefined> = requestContext.authorizer?.claims ?? {};
  if (!claims.sub) return { type: "public" };
  return { type: "user", id: claims.sub, name: claims["cognito:username"], email: claims.email };
}
