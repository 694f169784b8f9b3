import { createHash } from "node:crypto";

import * as Settings from "./settings.ts";
import { users } from "./auth.ts";

const { throttle } = Settings.of($app.stage);

/** The raw resources of the API: SST's deployment knows only the methods and integrations that it made itself. */
const parts: $util.CustomResource[] = [];

/** Every raw resource of the API passes here, so that the deployment waits for it and follows its changes. */
export function part<Raw extends $util.CustomResource>(raw: Raw): Raw {
  parts.push(raw);
  return raw;
}

/** The REST API. What it answers is added by the files beside this one, then api.ts deploys it. */
export const gateway = new sst.aws.ApiGatewayV1("Api", {
  endpoint: { type: "regional" },
  // SST's would be `*`, which does not cover `Authorization`: see preflight.ts and problems.ts
  cors: false,
  transform: {
    // what is sent as a picture; JSON stays text, and events stay readable
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
      // A deployment is a snapshot: what is made after it is not in it, and what changes later needs another one.
      options.dependsOn = [...parts];
      deployment.triggers = {
        routes: fingerprint(deployment.triggers),
        byHand: fingerprint(parts.map(plain)),
      };
      return undefined;
    },
  },
});

export const restApi = gateway.nodes.api;

export const authorizer = gateway.addAuthorizer({ name: "users", userPools: [users.arn] });

/** Are the required parameters there? It says nothing about their values. */
export const parameters = part(
  new aws.apigateway.RequestValidator("ApiParameters", {
    restApi: restApi.id,
    name: "parameters",
    validateRequestParameters: true,
    validateRequestBody: false,
  }),
);

/** Makes the snapshot and its stage: after everything else. */
export function deploy() {
  gateway.deploy();
  return new aws.apigateway.MethodSettings("ApiThrottle", {
    restApi: restApi.id,
    stageName: gateway.nodes.stage!.stageName,
    methodPath: "*/*",
    settings: { throttlingRateLimit: throttle.rate, throttlingBurstLimit: throttle.burst },
  });
}

/** One line of JSON a request. No `Authorization`, no query: a signed delivery URL is a key. */
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

/** What a raw resource is, without Pulumi's own fields. */
const plain = (resource: object) =>
  Object.fromEntries(
    Object.entries(resource).filter(
      ([key, value]) => !key.startsWith("_") && typeof value !== "function",
    ),
  );
