import type { Dependencies } from "../apigateway/dependencies.ts";
import { type Permissions, createPermissions } from "../apigateway/invoke-permissions.ts";
import { functionArnOf } from "../apigateway/integration-uri.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";
import { StartError } from "../start-error.ts";
import type { CompiledWebSocketApi, ConnectAuthorization, WebSocketRoute } from "./compiled-api.ts";
import * as RouteSelection from "./route-selection.ts";

/** Returns the WebSocket APIs of the graph, compiled. @throws StartError that names everything that is not emulated. */
export function compile({
  graph,
  principals,
}: Pick<Dependencies, "graph" | "principals">): CompiledWebSocketApi[] {
  const permissions = createPermissions(graph, principals);
  const problems: string[] = [];
  const apis = resourcesOf(graph, "aws:apigatewayv2/stage:Stage").flatMap((stage) => {
    const api = resourcesOf(graph, "aws:apigatewayv2/api:Api").find(
      ({ id }) => id === stage.inputs.apiId,
    );
    if (!api) return [];
    try {
      const context = { graph, api, stage, permissions };
      const routes = resourcesOf(graph, "aws:apigatewayv2/route:Route")
        .filter(({ inputs }) => inputs.apiId === api.id)
        .map((route) => compileRoute(route, context))
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
          select: RouteSelection.compile(api.inputs.routeSelectionExpression ?? ""),
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

type RouteResource = Resource<"aws:apigatewayv2/route:Route">;

type Context = {
  graph: ResourceGraph;
  api: Resource<"aws:apigatewayv2/api:Api">;
  stage: Resource<"aws:apigatewayv2/stage:Stage">;
  permissions: Permissions;
};

function compileRoute(
  { id, name, inputs }: RouteResource,
  context: Context,
): Omit<WebSocketRoute, "functionName"> {
  const { graph, api, stage, permissions } = context;
  const integration = resourcesOf(graph, "aws:apigatewayv2/integration:Integration").find(
    (candidate) => `integrations/${candidate.id}` === inputs.target,
  );
  if (!integration) throw new Error(`the route ${name} has no integration`);
  const { integrationUri, credentialsArn, timeoutMilliseconds } = integration.inputs;
  const functionArn = functionArnOf(integrationUri ?? "")?.arn;
  if (!functionArn) throw new Error(`${integrationUri} is not the URI of a function`);
  const key = inputs.routeKey;
  return {
    key,
    functionArn,
    isPermitted: credentialsArn
      ? permissions.mayInvokeAsRole(credentialsArn, functionArn)
      : permissions.mayInvoke(
          functionArn,
          `${api.outputs.executionArn}/${stage.inputs.name}/${key}`,
        ),
    timeoutMs: timeoutMilliseconds ?? DEFAULT_TIMEOUT_MS,
    hasResponse: resourcesOf(graph, "aws:apigatewayv2/routeResponse:RouteResponse").some(
      (response) => response.inputs.routeId === id,
    ),
    authorization: compileAuthorization(inputs, context),
  };
}

function compileAuthorization(
  { authorizationType = "NONE", authorizerId, routeKey }: RouteResource["inputs"],
  { graph, api, permissions }: Context,
): ConnectAuthorization {
  if (authorizationType === "NONE") return { type: "NONE" };
  // "You can use only the $connect route" https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
  if (routeKey !== "$connect") throw new Error(`${routeKey} cannot have an authorizer`);
  if (authorizationType === "AWS_IAM") return { type: "AWS_IAM" };
  const authorizer = resourcesOf(graph, "aws:apigatewayv2/authorizer:Authorizer").find(
    ({ id }) => id === authorizerId,
  );
  const functionArn = functionArnOf(authorizer?.inputs.authorizerUri ?? "")?.arn;
  if (!authorizer || !functionArn) throw new Error(`there is no authorizer ${authorizerId}`);
  const { authorizerCredentialsArn } = authorizer.inputs;
  const identitySources = authorizer.inputs.identitySources ?? [];
  const other = identitySources.find((source) => !SOURCE.test(source));
  if (other) throw new Error(`the identity source ${other} is not emulated`);
  return {
    type: "CUSTOM",
    functionArn,
    isPermitted: authorizerCredentialsArn
      ? permissions.mayInvokeAsRole(authorizerCredentialsArn, functionArn)
      : permissions.mayInvoke(
          functionArn,
          `${api.outputs.executionArn}/authorizers/${authorizer.id}`,
        ),
    identitySources,
  };
}

const SOURCE = /^(route\.request\.(header|querystring)|stageVariables)\../;
