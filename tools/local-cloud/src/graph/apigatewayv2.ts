import * as z from "zod/mini";

import {
  ignored,
  only,
  optionalNumber,
  optionalString,
  optionalStrings,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const READ_ANEW = "the graph is read at each start";

/** WebSocket APIs. HTTP APIs are not emulated. */
export const apigatewayv2 = {
  "aws:apigatewayv2/api:Api": resourceType(
    {
      protocolType: requiredOneOf("WEBSOCKET"),
      routeSelectionExpression: optionalString,
      version: ignored("a name for people"),
    },
    { apiEndpoint: z.string(), executionArn: z.string() },
  ),
  "aws:apigatewayv2/stage:Stage": resourceType(
    {
      apiId: z.string(),
      name: z.string(),
      stageVariables: z.optional(z.record(z.string(), z.string())),
      accessLogSettings: ignored("a line per request is printed in the log"),
      autoDeploy: ignored(READ_ANEW),
      deploymentId: ignored(READ_ANEW),
    },
    {},
  ),
  "aws:apigatewayv2/deployment:Deployment": resourceType(
    { apiId: z.string(), triggers: ignored(READ_ANEW) },
    {},
  ),
  "aws:apigatewayv2/route:Route": resourceType(
    {
      apiId: z.string(),
      routeKey: z.string(),
      target: optionalString,
      authorizationType: only("NONE", "AWS_IAM", "CUSTOM"),
      authorizerId: optionalString,
      operationName: ignored("a name for people"),
      routeResponseSelectionExpression: ignored(
        "AWS has one value for it, and a route answers when it has a route response",
      ),
    },
    {},
  ),
  "aws:apigatewayv2/routeResponse:RouteResponse": resourceType(
    { apiId: z.string(), routeId: z.string(), routeResponseKey: requiredOneOf("$default") },
    {},
  ),
  "aws:apigatewayv2/integration:Integration": resourceType(
    {
      apiId: z.string(),
      integrationType: requiredOneOf("AWS_PROXY"),
      integrationUri: optionalString,
      credentialsArn: optionalString,
      timeoutMilliseconds: optionalNumber,
      connectionType: only("INTERNET"),
      integrationMethod: ignored("a function is always invoked by POST"),
    },
    {},
  ),
  "aws:apigatewayv2/authorizer:Authorizer": resourceType(
    {
      apiId: z.string(),
      authorizerType: requiredOneOf("REQUEST"),
      authorizerUri: optionalString,
      authorizerCredentialsArn: optionalString,
      identitySources: optionalStrings,
    },
    {},
  ),
};
