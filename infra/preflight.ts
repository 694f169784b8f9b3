import * as Cors from "./cors.ts";
import { gateway, registerForDeployment, restApi } from "./gateway.ts";
import { nameOf } from "./routes.ts";

/**
 * Adds the CORS preflight of a path. It needs no token and no key, because browsers send none; the response names the methods
 * of the path and the allowed origin.
 */
export function addPreflight(path: string, methods: string[]) {
  const name = nameOf({ method: "OPTIONS", path });
  const { method, integration } = gateway.routeIntegration(
    `OPTIONS ${path}`,
    {
      type: "mock",
      requestTemplates: { "application/json": JSON.stringify({ statusCode: 204 }) },
      passthroughBehavior: "when-no-templates",
    },
    { name },
  ).nodes;
  const headers = {
    "Access-Control-Allow-Origin": Cors.firstOrigin,
    "Access-Control-Allow-Methods": [...methods, "OPTIONS"].join(","),
    "Access-Control-Allow-Headers": Cors.requestHeaders,
    "Access-Control-Max-Age": "7200",
    Vary: "Origin",
  };
  const target = {
    restApi: restApi.id,
    resourceId: integration.resourceId,
    httpMethod: method.httpMethod,
    statusCode: "204",
  };
  const response = registerForDeployment(
    new aws.apigateway.MethodResponse(`Api${name}Response`, {
      ...target,
      responseParameters: mapEach(headers, () => true),
    }),
  );
  registerForDeployment(
    new aws.apigateway.IntegrationResponse(
      `Api${name}IntegrationResponse`,
      {
        ...target,
        responseParameters: mapEach(headers, Cors.constant),
        responseTemplates: { "application/json": Cors.chooseOrigin },
      },
      { dependsOn: [integration, response] },
    ),
  );
}

function mapEach<Value>(headers: Record<string, string>, to: (value: string) => Value) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [`method.response.header.${name}`, to(value)]),
  );
}
