import type { Parts } from "../apigateway/dependencies.ts";
import { type Permissions, createPermissions } from "../apigateway/permission.ts";
import { functionArnOf } from "../apigateway/uri.ts";
import { type Resource, resourcesOf } from "../graph/resource-graph.ts";
import { StartError } from "../start-error.ts";
import type { Api, Authorization, Route } from "./definition.ts";
import { unemulated } from "./supported-resources.ts";
import * as Selection from "./selection.ts";

type Of = (type: string) => Resource[];

/** The WebSocket APIs of the graph. What cannot be emulated is one error that names it all. */
export function compile({ graph, principals }: Pick<Parts, "graph" | "principals">): Api[] {
  const of: Of = (type) => resourcesOf(graph, `aws:apigatewayv2/${type}`);
  const permissions = createPermissions(graph, principals);
  const problems = graph.resources.flatMap(unemulated);
  const apis = of("stage:Stage").flatMap((stage) => {
    const api = of("api:Api").find(({ id }) => id === stage.inputs.apiId);
    if (!api) return [];
    try {
      const routes = of("route:Route")
        .filter(({ inputs }) => inputs.apiId === api.id)
        .map((route) => compileRoute(route, api, stage, of, permissions))
        .map((route) => ({
          ...route,
          functionName:
            graph.functions[route.functionArn]?.name ?? route.functionArn.split(":")[6]!,
        }));
      return [
        {
          id: api.id,
          name: api.name.replace(/Api$/, ""),
          stage: stage.inputs.name,
          variables: stage.inputs.stageVariables,
          executionArn: api.outputs.executionArn,
          endpoint: `${api.outputs.apiEndpoint}/${stage.inputs.name}`,
          select: Selection.compile(api.inputs.routeSelectionExpression ?? ""),
          routes: new Map(routes.map((route) => [route.key, route])),
        },
      ];
    } catch (error) {
      problems.push(`${api.name}: ${(error as Error).message}`);
      return [];
    }
  });
  if (problems.length > 0)
    throw new StartError(
      `The local API Gateway cannot serve this graph:\n- ${problems.join("\n- ")}`,
    );
  return apis;
}

// "Integration timeout: 50 milliseconds - 29 seconds"
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const DEFAULT_TIMEOUT_MS = 29_000;

function compileRoute(
  { id, name, inputs }: Resource,
  api: Resource,
  stage: Resource,
  of: Of,
  permissions: Permissions,
): Omit<Route, "functionName"> {
  const integration = of("integration:Integration").find(
    (candidate) => `integrations/${candidate.id}` === inputs.target,
  );
  if (!integration) throw new Error(`the route ${name} has no integration`);
  const { integrationUri, credentialsArn, timeoutMilliseconds } = integration.inputs;
  const functionArn = functionArnOf(integrationUri ?? "")?.arn;
  if (!functionArn) throw new Error(`${integrationUri} is not the URI of a function`);
  const key: string = inputs.routeKey;
  return {
    key,
    functionArn,
    isPermitted: credentialsArn
      ? permissions.invokeAs(credentialsArn, functionArn)
      : permissions.invoke(functionArn, `${api.outputs.executionArn}/${stage.inputs.name}/${key}`),
    timeoutMs: timeoutMilliseconds ?? DEFAULT_TIMEOUT_MS,
    responds: of("routeResponse:RouteResponse").some(({ inputs }) => inputs.routeId === id),
    authorization: compileAuthorization(inputs, api, of, permissions),
  };
}

function compileAuthorization(
  { authorizationType = "NONE", authorizerId, routeKey }: Resource["inputs"],
  api: Resource,
  of: Of,
  permissions: Permissions,
): Authorization {
  if (authorizationType === "NONE") return { type: "NONE" };
  // "You can use only the $connect route" https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
  if (routeKey !== "$connect") throw new Error(`${routeKey} cannot have an authorizer`);
  if (authorizationType === "AWS_IAM") return { type: "AWS_IAM" };
  const authorizer = of("authorizer:Authorizer").find(({ id }) => id === authorizerId);
  const functionArn = functionArnOf(authorizer?.inputs.authorizerUri ?? "")?.arn;
  if (!authorizer || !functionArn) throw new Error(`there is no authorizer ${authorizerId}`);
  const { authorizerCredentialsArn } = authorizer.inputs;
  const identitySources: string[] = authorizer.inputs.identitySources ?? [];
  const other = identitySources.find((source) => !SOURCE.test(source));
  if (other) throw new Error(`the identity source ${other} is not emulated`);
  return {
    type: "CUSTOM",
    functionArn,
    isPermitted: authorizerCredentialsArn
      ? permissions.invokeAs(authorizerCredentialsArn, functionArn)
      : permissions.invoke(functionArn, `${api.outputs.executionArn}/authorizers/${authorizer.id}`),
    identitySources,
  };
}

const SOURCE = /^(route\.request\.(header|querystring)|stageVariables)\../;
