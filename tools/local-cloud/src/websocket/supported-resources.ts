import { type Known, labels, unknownProperties } from "../property-support.ts";
import type { Resource } from "../graph/resource-graph.ts";

/** Types under `aws:apigatewayv2/` that are read here, each property with what it is. */
export const KNOWN: Record<string, Known> = {
  "api:Api": {
    emulated: ["protocolType", "routeSelectionExpression"],
    meaningless: [...labels, "version"],
    only: { protocolType: ["WEBSOCKET"] },
  },
  "stage:Stage": {
    emulated: ["apiId", "name", "stageVariables"],
    // the graph is read anew at each start; the laptop prints a line per request
    meaningless: [...labels, "autoDeploy", "deploymentId", "accessLogSettings"],
  },
  "deployment:Deployment": { emulated: ["apiId"], meaningless: [...labels, "triggers"] },
  "route:Route": {
    emulated: ["apiId", "routeKey", "target", "authorizationType", "authorizerId"],
    meaningless: [...labels, "operationName", "routeResponseSelectionExpression"],
    only: { authorizationType: ["NONE", "AWS_IAM", "CUSTOM"] },
  },
  "routeResponse:RouteResponse": {
    emulated: ["apiId", "routeId", "routeResponseKey"],
    meaningless: labels,
    only: { routeResponseKey: ["$default"] },
  },
  "integration:Integration": {
    emulated: [
      "apiId",
      "integrationType",
      "integrationUri",
      "credentialsArn",
      "timeoutMilliseconds",
    ],
    meaningless: [...labels, "integrationMethod", "connectionType"],
    only: { integrationType: ["AWS_PROXY"], connectionType: ["INTERNET"] },
  },
  "authorizer:Authorizer": {
    emulated: [
      "apiId",
      "authorizerType",
      "authorizerUri",
      "authorizerCredentialsArn",
      "identitySources",
    ],
    meaningless: labels,
    only: { authorizerType: ["REQUEST"] },
  },
};

/** Sentences about what a resource of API Gateway's second version configures and nothing here does. */
export function unemulated(resource: Resource): string[] {
  const type = /^aws:apigatewayv2\/(.+)$/.exec(resource.type)?.[1];
  if (type === undefined) return [];
  const known = KNOWN[type];
  if (!known) return [`${resource.name} is a ${resource.type}, which is not emulated`];
  return unknownProperties(resource, known);
}
