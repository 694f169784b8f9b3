import * as Cors from "./cors.ts";
import { gateway, registerForDeployment, restApi } from "./gateway.ts";

/** Shows that the gateway answers; no function runs. */
const { method, integration } = gateway.routeIntegration(
  "GET /health",
  {
    type: "mock",
    requestTemplates: { "application/json": JSON.stringify({ statusCode: 200 }) },
    passthroughBehavior: "when-no-templates",
  },
  { name: "GetHealth" },
).nodes;

const target = {
  restApi: restApi.id,
  resourceId: integration.resourceId,
  httpMethod: method.httpMethod,
  statusCode: "200",
};

const response = registerForDeployment(
  new aws.apigateway.MethodResponse("ApiGetHealthResponse", {
    ...target,
    responseParameters: {
      "method.response.header.Access-Control-Allow-Origin": true,
      "method.response.header.Access-Control-Expose-Headers": true,
      "method.response.header.Cache-Control": true,
    },
  }),
);

registerForDeployment(
  new aws.apigateway.IntegrationResponse(
    "ApiGetHealthIntegrationResponse",
    {
      ...target,
      responseParameters: {
        "method.response.header.Access-Control-Allow-Origin": Cors.constant(Cors.constantOrigin),
        "method.response.header.Access-Control-Expose-Headers": Cors.constant(Cors.exposedHeaders),
        "method.response.header.Cache-Control": Cors.constant("no-store"),
      },
      responseTemplates: { "application/json": JSON.stringify({ status: "ok" }) },
    },
    { dependsOn: [integration, response] },
  ),
);
