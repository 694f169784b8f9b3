import { createHash } from "node:crypto";

import { users } from "./auth.ts";

/** The raw resources of the API. SST's deployment depends only on the methods and integrations that SST created. */
const rawResources: $util.CustomResource[] = [];

/** Makes the deployment wait for a raw resource of the API and follow its changes; every one must pass here. */
export function registerForDeployment<Raw extends $util.CustomResource>(raw: Raw): Raw {
  rawResources.push(raw);
  return raw;
}

/** The REST API. The files next to this one add routes and responses, then api.ts deploys it. */
export const gateway = new sst.aws.ApiGatewayV1("Api", {
  endpoint: { type: "regional" },
  // SST's headers would be `*`, which does not cover `Authorization`: see preflight.ts and gateway-responses.ts
  cors: false,
  transform: {
    // images are bytes; JSON stays text, so that events are readable
    api: { binaryMediaTypes: ["image/*", "application/octet-stream"] },
    accessLog: { name: `/aws/vendedlogs/apis/${$app.name}/${$app.stage}` },
    stage: (stage) => {
      stage.xrayTracingEnabled = true;
      stage.accessLogSettings = $output(stage.accessLogSettings).apply((log) => ({
        destinationArn: log!.destinationArn,
        format: accessLog,
      }));
      return undefined;
    },
    deployment: (deployment, options) => {
      // A deployment is a snapshot: it does not contain resources that are created or changed after it.
      options.dependsOn = [...rawResources];
      deployment.triggers = {
        routes: fingerprint(deployment.triggers),
        byHand: fingerprint(rawResources.map(propertiesOf)),
      };
      return undefined;
    },
  },
});

export const restApi = gateway.nodes.api;

export const authorizer = gateway.addAuthorizer({ name: "users", userPools: [users.arn] });

/** Checks that required parameters are present; it cannot check their values. */
export const parameters = registerForDeployment(
  new aws.apigateway.RequestValidator("ApiParameters", {
    restApi: restApi.id,
    name: "parameters",
    validateRequestParameters: true,
    validateRequestBody: false,
  }),
);

/** One line of JSON per request, without `Authorization` and query: a signed delivery URL is a secret. */
const accessLog = JSON.stringify({
  time: "$context.requestTime",
  requestId: "$context.requestId",
  extendedRequestId: "$context.extendedRequestId",
  trace: "$context.xrayTraceId",
  method: "$context.httpMethod",
  path: "$context.path",
  route: "$context.resourcePath",
  status: "$context.status",
  bytes: "$context.responseLength",
  milliseconds: "$context.responseLatency",
  integrationMilliseconds: "$context.integration.latency",
  integrationStatus: "$context.integration.status",
  error: "$context.error.responseType",
  authorizerError: "$context.authorizer.error",
  user: "$context.authorizer.claims.sub",
  key: "$context.identity.apiKeyId",
  ip: "$context.identity.sourceIp",
  agent: "$context.identity.userAgent",
});

const fingerprint = (settings: $util.Input<object | undefined>) =>
  $jsonStringify(settings).apply((text) => createHash("sha256").update(text).digest("hex"));

/** The properties of a raw resource without Pulumi's own fields. */
const propertiesOf = (resource: object) =>
  Object.fromEntries(
    Object.entries(resource).filter(
      ([key, value]) => !key.startsWith("_") && typeof value !== "function",
    ),
  );
