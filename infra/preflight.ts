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
    "Access-Control-Allow-Origin": Cors.origins[0]!,
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
        responseTemplates: { "application/json": chooseOrigin },
      },
      { dependsOn: [integration, response] },
    ),
  );
}

/**
 * The first origin is the constant; when a page of another configured one asks, its own name goes back instead. HTTP/2
 * sends header names in small letters, and the map keeps them as they came.
 */
const chooseOrigin = [
  `#set($origins = [${Cors.origins.map((origin) => JSON.stringify(origin)).join(", ")}])`,
  `#set($origin = $input.params().header.get("Origin"))`,
  `#if(!$origin)#set($origin = $input.params().header.get("origin"))#end`,
  `#if($origins.contains($origin))#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end`,
].join("\n");

function mapEach<Value>(headers: Record<string, string>, to: (value: string) => Value) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [`method.response.header.${name}`, to(value)]),
  );
}
