import { admin } from "./admin.ts";
import * as Cors from "./cors.ts";
import { deliver, presets } from "./delivery.ts";
import { addAddressLimit } from "./address-limit.ts";
import { authorizer, gateway, restApi } from "./gateway.ts";
import * as Grants from "./grants.ts";
import "./health.ts";
import { keys, signing } from "./keys.ts";
import * as LightFetch from "./light-fetch.ts";
import { limits } from "./limits.ts";
import "./s3-put-route.ts";
import * as Settings from "./settings.ts";
import { addThrottles } from "./throttles.ts";
import { addUsagePlans } from "./usage-plans.ts";
import "./s3-get-route.ts";
import { addPreflight } from "./preflight.ts";
import "./gateway-responses.ts";
import { nameOf, routes } from "./routes.ts";
import { data, images } from "./storage.ts";

const { reservedConcurrency } = Settings.ofStage($app.stage);

const apiHandler = new sst.aws.Function("ApiHandler", {
  handler: "packages/api/src/lambda.handler",
  description: "Answers /v1",
  memory: "1024 MB",
  timeout: "15 seconds",
  concurrency: { reserved: reservedConcurrency.ApiHandler },
  link: [images, data, keys, signing, presets, limits],
  environment: Cors.environment,
  nodejs: LightFetch.nodejs,
  permissions: [
    Grants.items(data, [
      "GetItem",
      "BatchGetItem",
      "Query",
      "PutItem",
      "UpdateItem",
      "DeleteItem",
      "ConditionCheckItem",
    ]),
    Grants.indexQueries(data),
    // a presigned POST or part has the permissions of its signer; reading tells whether an upload has come
    Grants.objects(
      images,
      ["uploads/*"],
      ["PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload"],
    ),
    Grants.listForNotFound(images),
  ],
});

const authorization = {
  anyone: undefined,
  // an API key is for metering, it does not authenticate
  key: undefined,
  user: { cognito: { authorizer: authorizer.id } },
  operator: { iam: true },
} as const;

const functions = { ApiHandler: apiHandler, Deliver: deliver, Admin: admin };

for (const [name, handler] of Object.entries(functions)) allowApiInvoke(name, handler);

for (const route of routes) {
  const { nodes } = functions[route.to];
  const streams = route.to === "Deliver";
  gateway.routeIntegration(
    `${route.method} ${route.path}`,
    {
      type: "aws-proxy",
      integrationHttpMethod: "POST",
      uri: streams ? nodes.function.responseStreamingInvokeArn : nodes.function.invokeArn,
    },
    {
      name: nameOf(route),
      auth: authorization[route.auth],
      apiKey: route.auth === "key",
      transform: {
        integration: { responseTransferMode: streams ? "STREAM" : "BUFFERED" },
      },
    },
  );
}

for (const [path, methods] of Object.entries(methodsByPath())) addPreflight(path, methods);

gateway.deploy();
addThrottles();
addUsagePlans();
addAddressLimit();

export { gateway as api };

/** One permission per function: SST's one per route would exceed the 20 KB of a function's policy. */
function allowApiInvoke(name: string, handler: sst.aws.Function) {
  return new aws.lambda.Permission(`${name}FromApi`, {
    action: "lambda:InvokeFunction",
    function: handler.name,
    principal: "apigateway.amazonaws.com",
    sourceArn: $interpolate`${restApi.executionArn}/${$app.stage}/*`,
  });
}

function methodsByPath() {
  const byPath: Record<string, string[]> = { "/health": ["GET"], "/s3": ["GET", "HEAD", "PUT"] };
  for (const { method, path } of routes) (byPath[path] ??= []).push(method);
  return byPath;
}
