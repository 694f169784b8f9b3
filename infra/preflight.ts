import * as Cors from "./cors.ts";
import { gateway, part, restApi } from "./gateway.ts";
import { nameOf } from "./routes.ts";

/**
 * The browser's question before the real request. It carries no token and no key, so it is open; the answer names the
 * methods of this path, the configured origins and nothing more.
 */
export function preflight(path: string, methods: string[]) {
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
  const response = part(
    new aws.apigateway.MethodResponse(`Api${name}Response`, {
      ...target,
      responseParameters: mapEach(headers, () => true),
    }),
  );
  part(
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
