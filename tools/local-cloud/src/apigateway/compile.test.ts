import { describe, expect, it } from "vitest";

import type { ResourceInFile } from "../graph/graph-file.ts";
import {
  type Route,
  authorizerUri,
  echo,
  json,
  lambda,
  mock,
  apiResource,
  region,
  resource,
  restApi,
  serve,
} from "./gateway.fixture.ts";

const mockOf = (template: string) => ({
  ...mock(),
  requestTemplates: { "application/json": template },
});
const mapped = (from: string, to = "integration.request.header.x") => ({
  type: "HTTP",
  integrationHttpMethod: "GET",
  uri: "http://127.0.0.1:1/",
  requestParameters: { [to]: from },
});
const guarded = (inputs: ResourceInFile["inputs"]): Parameters<typeof restApi> => [
  {
    "GET /": {
      integration: lambda("echo"),
      method: { authorization: "CUSTOM", authorizerId: "guard" },
    },
  },
  {
    more: [
      apiResource("authorizer:Authorizer", "guard", {
        authorizerUri: authorizerUri("guard"),
        ...inputs,
      }),
    ],
  },
];
const ping: Record<string, Route> = {
  "GET /": { integration: mock(), responses: { "200": json({}) } },
};

/** Returns the error of the start, or undefined if it starts. */
async function startError(...args: Parameters<typeof restApi>) {
  try {
    await (await serve(restApi(...args))).stop();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("a feature that is not emulated", () => {
  it.each<[string, string, Parameters<typeof restApi>]>([
    [
      "a type",
      "aws:apigateway/vpcLink:VpcLink",
      [ping, { more: [apiResource("vpcLink:VpcLink", "link", {})] }],
    ],
    [
      "a stage's cache",
      "cacheClusterEnabled = true",
      [ping, { stage: { cacheClusterEnabled: true } }],
    ],
    ["a canary", "canarySettings", [ping, { stage: { canarySettings: { percentTraffic: 1 } } }]],
    [
      "compression",
      "minimumCompressionSize = 1024",
      [ping, { api: { minimumCompressionSize: 1024 } }],
    ],
    [
      "a private endpoint",
      "PRIVATE",
      [ping, { api: { endpointConfiguration: { types: "PRIVATE" } } }],
    ],
    [
      "a method's cache",
      "settings.cachingEnabled",
      [
        ping,
        {
          more: [
            apiResource("methodSettings:MethodSettings", "m", {
              stageName: "t",
              methodPath: "*/*",
              settings: { cachingEnabled: true },
            }),
          ],
        },
      ],
    ],
    [
      "a VPC link",
      "VPC_LINK",
      [
        {
          "GET /": {
            integration: { type: "HTTP_PROXY", uri: "http://x", connectionType: "VPC_LINK" },
          },
        },
      ],
    ],
    [
      "a service without an emulation",
      "dynamodb:action/PutItem",
      [
        {
          "GET /": {
            integration: {
              type: "AWS",
              uri: `arn:aws:apigateway:${region}:dynamodb:action/PutItem`,
            },
          },
        },
      ],
    ],
    [
      "a directive that is not emulated",
      "#evaluate",
      [{ "GET /": { integration: mockOf(`#evaluate("x") {"statusCode": 200}`) } }],
    ],
    [
      "a $util function that is not emulated",
      "$util.formatDate",
      [{ "GET /": { integration: mockOf(`{"statusCode": $util.formatDate("x")}`) } }],
    ],
    [
      "a property of $foreach that does not exist",
      "$foreach.last",
      [
        {
          "GET /": {
            integration: mockOf(`#foreach($i in [1])$foreach.last#end{"statusCode": 200}`),
          },
        },
      ],
    ],
    [
      "an unknown gateway response type",
      "NO_SUCH_TYPE",
      [
        ping,
        {
          more: [
            resource("aws:apigateway/response:Response", "r", {
              restApiId: "api1",
              responseType: "NO_SUCH_TYPE",
            }),
          ],
        },
      ],
    ],
  ])("%s is a start error that names it", async (_, words, args) => {
    expect(await startError(...args)).toContain(words);
  });
});

describe("a graph that AWS would not deploy", () => {
  it.each<[string, string, Parameters<typeof restApi>]>([
    [
      "an integration response without its method response",
      "no method response 404",
      [ping, { more: [stray({ statusCode: "404" })] }],
    ],
    [
      "a header that the method response does not declare",
      "method.response.header.X-A",
      [
        ping,
        {
          more: [
            stray({
              statusCode: "200",
              responseParameters: { "method.response.header.X-A": "'1'" },
            }),
          ],
        },
      ],
    ],
    [
      "a mapping from a parameter that the method does not declare",
      "method.request.path.id",
      [
        {
          "GET /a/{id}": {
            integration: mapped("method.request.path.id"),
            method: { requestParameters: { "method.request.path.other": true } },
          },
        },
      ],
    ],
    [
      "a mapping from an invalid source",
      "request.header.x",
      [{ "GET /": { integration: mapped("request.header.x") } }],
    ],
    [
      "a mapping to an invalid target",
      "integration.request.body.x",
      [{ "GET /": { integration: mapped("'1'", "integration.request.body.x") } }],
    ],
    [
      "a response header from an invalid source",
      "integration.header.x",
      [
        {
          "GET /": {
            integration: mock(),
            responses: {
              "200": { responseParameters: { "method.response.header.X": "integration.header.x" } },
            },
          },
        },
      ],
    ],
    [
      "an integration timeout over the maximum",
      "timeoutMilliseconds = 30000",
      [{ "GET /": { integration: lambda("echo", { timeoutMilliseconds: 30_000 }) } }],
    ],
    [
      "an integration timeout under the minimum",
      "timeoutMilliseconds = 49",
      [{ "GET /": { integration: { ...mock(), timeoutMilliseconds: 49 } } }],
    ],
    [
      "a TOKEN authorizer with a source that is not a header",
      "method.request.querystring.t",
      guarded({ type: "TOKEN", identitySource: "method.request.querystring.t" }),
    ],
    [
      "an identity source in the body",
      "method.request.body.t",
      guarded({ type: "REQUEST", identitySource: "method.request.body.t" }),
    ],
    [
      "an authorizer that caches without an identity source",
      "has no identity source to cache decisions by",
      guarded({ type: "REQUEST", identitySource: "" }),
    ],
    [
      "an API key that is too short",
      "20 to 128",
      [ping, { more: [resource("aws:apigateway/apiKey:ApiKey", "short", { value: "short" })] }],
    ],
    [
      "two sibling path parameters",
      "sibling ({id})",
      [
        {
          "GET /a/{id}": { integration: lambda("echo") },
          "GET /a/{name}": { integration: lambda("echo") },
        },
      ],
    ],
    [
      "streaming with the URI of a buffered invocation",
      "do not go together",
      [{ "GET /": { integration: { ...lambda("echo"), responseTransferMode: "STREAM" } } }],
    ],
    [
      "a streaming mock",
      "cannot stream",
      [{ "GET /": { integration: { ...mock(), responseTransferMode: "STREAM" } } }],
    ],
    [
      "a template with a syntax error",
      "GET /",
      [
        {
          "GET /": {
            integration: { type: "MOCK", requestTemplates: { "application/json": "#if($x" } },
          },
        },
      ],
    ],
  ])("%s is a start error", async (_, words, args) => {
    expect(await startError(...args)).toContain(words);
  });

  it("a resource that the deployment does not depend on is a start error, unless a component brings it along", async () => {
    const graph = restApi(ping);
    const deployment = graph.resources.at(-1)!;
    const all = deployment.dependsOn!;
    deployment.dependsOn = all.filter((urn) => !urn.includes("integrationResponse"));
    await expect(serve(graph)).rejects.toThrow(
      /GET \/ 200 .*integrationResponse.*deployment1 does not depend on it/,
    );

    const component = resource("sst:aws:Something", "component", {});
    const lost = graph.resources.find(({ type }) => type.includes("integrationResponse"))!;
    lost.parent = component.urn;
    graph.resources.push(component);
    deployment.dependsOn.push(component.urn);
    await (await serve(graph)).stop();
  });
});

describe("gateway responses", () => {
  const response = (responseType: string, inputs: ResourceInFile["inputs"]) =>
    resource("aws:apigateway/response:Response", responseType, {
      restApiId: "api1",
      responseType,
      ...inputs,
    });

  it("are those of the API for the type, else for the class, else AWS's default", async () => {
    const api = await serve(
      restApi(
        {
          "GET /": { integration: lambda("echo"), method: { apiKeyRequired: true } },
        },
        {
          more: [
            response("INVALID_API_KEY", {
              statusCode: "401",
              responseTemplates: {
                "application/problem+json": `{"title":$context.error.messageString,"code":"$context.error.responseType","id":"$context.requestId","at":"$context.stage$context.path","unset":"$context.nothing"}`,
              },
              responseParameters: {
                "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
                "gatewayresponse.header.X-Asked": "method.request.header.X-Ask",
              },
            }),
            response("DEFAULT_4XX", {
              responseTemplates: { "application/json": `{"message":$context.error.messageString}` },
            }),
          ],
        },
      ),
      { echo },
    );
    const key = await api.call("/t/", { headers: { "x-ask": "why" } });
    expect([key.status, key.json]).toEqual([
      401,
      {
        title: "Forbidden",
        code: "INVALID_API_KEY",
        id: key.headers.get("x-amzn-requestid"),
        at: "t/t/",
        unset: "$context.nothing",
      },
    ]);
    expect(key.headers.get("content-type")).toBe("application/problem+json");
    expect(key.headers.get("access-control-allow-origin")).toBe("*");
    expect(key.headers.get("x-asked")).toBe("why");
    expect(key.headers.get("x-amzn-errortype")).toBe("ForbiddenException");
    expect((await api.call("/t/nope")).json).toEqual({ message: "Missing Authentication Token" });
    await api.stop();
  });
});

describe("stage variables", () => {
  it("are in the event and may name functions", async () => {
    const integration = lambda(`\${stageVariables.fn}`);
    const api = await serve(
      restApi(
        { "GET /": { integration } },
        { stage: { variables: { fn: "echo" } }, more: [permission()] },
      ),
      { echo },
    );
    expect((await api.call("/t/")).json.stageVariables).toEqual({ fn: "echo" });
    await api.stop();
  });

  const permission = () =>
    resource("aws:lambda/permission:Permission", "may", {
      action: "lambda:InvokeFunction",
      function: "echo",
      principal: "apigateway.amazonaws.com",
    });
});

describe("the binary media type */*", () => {
  it("breaks an OPTIONS mock, as in AWS, unless the mock converts to text", async () => {
    const api = await serve(
      restApi(
        {
          "OPTIONS /broken": { integration: mock(204), responses: { "204": {} } },
          "OPTIONS /fine": {
            integration: { ...mock(204), contentHandling: "CONVERT_TO_TEXT" },
            responses: { "204": {} },
          },
        },
        { api: { binaryMediaTypes: ["*/*"] } },
      ),
    );
    const options = async (path: string) => (await api.call(path, { method: "OPTIONS" })).status;
    expect([await options("/t/broken"), await options("/t/fine")]).toEqual([500, 204]);
    await api.stop();
  });
});

/** An integration response of `GET /` without a method response of its own. */
function stray(inputs: ResourceInFile["inputs"]) {
  return apiResource("integrationResponse:IntegrationResponse", "stray", {
    resourceId: "/",
    httpMethod: "GET",
    ...inputs,
  });
}
