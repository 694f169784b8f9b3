import { describe, expect, it } from "vitest";

import type { ResourceInFile } from "../graph/graph-file.ts";
import {
  type Route,
  account,
  apiArn,
  authorizerUri,
  echo,
  json,
  lambda,
  mock,
  part,
  region,
  resource,
  restApi,
  role,
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
      to: lambda("echo"),
      method: { authorization: "CUSTOM", authorizerId: "guard" },
    },
  },
  {
    more: [
      part("authorizer:Authorizer", "guard", {
        authorizerUri: authorizerUri("guard"),
        ...inputs,
      }),
    ],
  },
];
const ping: Record<string, Route> = { "GET /": { to: mock(), responses: { "200": json({}) } } };

/** What the start says, or undefined when it starts. */
async function complaint(...args: Parameters<typeof restApi>) {
  try {
    await (await serve(restApi(...args))).stop();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("what the graph configures and the gateway does not do", () => {
  it.each<[string, string, Parameters<typeof restApi>]>([
    [
      "a type",
      "aws:apigateway/vpcLink:VpcLink",
      [ping, { more: [part("vpcLink:VpcLink", "link", {})] }],
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
            part("methodSettings:MethodSettings", "m", {
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
      [{ "GET /": { to: { type: "HTTP_PROXY", uri: "http://x", connectionType: "VPC_LINK" } } }],
    ],
    [
      "a service without an emulation",
      "dynamodb:action/PutItem",
      [
        {
          "GET /": {
            to: { type: "AWS", uri: `arn:aws:apigateway:${region}:dynamodb:action/PutItem` },
          },
        },
      ],
    ],
    [
      "a directive that a template cannot have",
      "#evaluate",
      [{ "GET /": { to: mockOf(`#evaluate("x") {"statusCode": 200}`) } }],
    ],
    [
      "a function that `$util` does not have",
      "$util.formatDate",
      [{ "GET /": { to: mockOf(`{"statusCode": $util.formatDate("x")}`) } }],
    ],
    [
      "what a loop does not know of itself",
      "$foreach.last",
      [
        {
          "GET /": {
            to: mockOf(`#foreach($i in [1])$foreach.last#end{"statusCode": 200}`),
          },
        },
      ],
    ],
    [
      "a gateway response of another name",
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
  ])("%s stops the start, by name", async (_, words, args) => {
    expect(await complaint(...args)).toContain(words);
  });
});

describe("what AWS would not deploy", () => {
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
            to: mapped("method.request.path.id"),
            method: { requestParameters: { "method.request.path.other": true } },
          },
        },
      ],
    ],
    [
      "a mapping from nowhere",
      "request.header.x",
      [{ "GET /": { to: mapped("request.header.x") } }],
    ],
    [
      "a mapping to nowhere",
      "integration.request.body.x",
      [{ "GET /": { to: mapped("'1'", "integration.request.body.x") } }],
    ],
    [
      "an answer's header from nowhere",
      "integration.header.x",
      [
        {
          "GET /": {
            to: mock(),
            responses: {
              "200": { responseParameters: { "method.response.header.X": "integration.header.x" } },
            },
          },
        },
      ],
    ],
    [
      "an integration that waits longer than the gateway does",
      "timeoutMilliseconds = 30000",
      [{ "GET /": { to: lambda("echo", { timeoutMilliseconds: 30_000 }) } }],
    ],
    [
      "an integration that hardly waits",
      "timeoutMilliseconds = 49",
      [{ "GET /": { to: { ...mock(), timeoutMilliseconds: 49 } } }],
    ],
    [
      "a token from anywhere but a header",
      "method.request.querystring.t",
      guarded({ type: "TOKEN", identitySource: "method.request.querystring.t" }),
    ],
    [
      "an identity from the body",
      "method.request.body.t",
      guarded({ type: "REQUEST", identitySource: "method.request.body.t" }),
    ],
    [
      "a cache without a key",
      "has no identity source to remember",
      guarded({ type: "REQUEST", identitySource: "" }),
    ],
    [
      "a key that is too short",
      "20 to 128",
      [ping, { more: [resource("aws:apigateway/apiKey:ApiKey", "short", { value: "short" })] }],
    ],
    [
      "two parameters side by side",
      "sibling ({id})",
      [{ "GET /a/{id}": { to: lambda("echo") }, "GET /a/{name}": { to: lambda("echo") } }],
    ],
    [
      "streaming to the buffered URI",
      "do not go together",
      [{ "GET /": { to: { ...lambda("echo"), responseTransferMode: "STREAM" } } }],
    ],
    [
      "a streaming mock",
      "cannot stream",
      [{ "GET /": { to: { ...mock(), responseTransferMode: "STREAM" } } }],
    ],
    [
      "a template that is none",
      "GET /",
      [{ "GET /": { to: { type: "MOCK", requestTemplates: { "application/json": "#if($x" } } } }],
    ],
  ])("%s stops the start", async (_, words, args) => {
    expect(await complaint(...args)).toContain(words);
  });

  it("a resource that the deployment does not wait for is named, and one inside a component is found", async () => {
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

describe("what the gateway may invoke", () => {
  it("only what a permission in the graph names, for this route", async () => {
    const graph = restApi({ "GET /a": { to: lambda("echo") }, "GET /b": { to: lambda("echo") } });
    const permission = graph.resources.find(({ type }) =>
      type.startsWith("aws:lambda/permission"),
    )!;
    permission.inputs = { ...permission.inputs, sourceArn: `${apiArn}/*/GET/a` };
    const api = await serve(graph, { echo });
    expect((await api.call("/t/a")).status).toBe(200);
    const { status, json, headers } = await api.call("/t/b");
    expect([status, json]).toEqual([500, { message: "Internal server error" }]);
    expect(headers.get("x-amzn-errortype")).toMatch(/^InternalServerErrorException/);
    await api.stop();
  });

  it("or what the integration's role may", async () => {
    const mayInvoke = (name: string, Resource: string) =>
      role(name, "apigateway.amazonaws.com", {
        Effect: "Allow",
        Action: "lambda:InvokeFunction",
        Resource,
      });
    const as = (name: string) => ({
      to: lambda("echo", { credentials: `arn:aws:iam::${account}:role/${name}` }),
    });
    const graph = restApi(
      { "GET /yes": as("yes"), "GET /no": as("no") },
      { more: [mayInvoke("yes", "*"), mayInvoke("no", "arn:aws:lambda:*:*:function:other")] },
    );
    const api = await serve(
      { ...graph, resources: graph.resources.filter(({ type }) => !type.includes("permission")) },
      { echo },
    );
    expect([(await api.call("/t/yes")).status, (await api.call("/t/no")).status]).toEqual([
      200, 500,
    ]);
    await api.stop();
  });
});

describe("gateway responses", () => {
  const response = (responseType: string, inputs: ResourceInFile["inputs"]) =>
    resource("aws:apigateway/response:Response", responseType, {
      restApiId: "api1",
      responseType,
      ...inputs,
    });

  it("are the API's own for a type, else for its class", async () => {
    const api = await serve(
      restApi(
        {
          "GET /": { to: lambda("echo"), method: { apiKeyRequired: true } },
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

describe("a resource policy", () => {
  it("denies before anything else, and must allow what nothing else does", async () => {
    const policy = JSON.stringify({
      Statement: [
        {
          Effect: "Allow",
          Principal: "*",
          Action: "execute-api:Invoke",
          Resource: "execute-api:/t/GET/*",
        },
        {
          Effect: "Deny",
          Principal: "*",
          Action: "execute-api:Invoke",
          Resource: "execute-api:/t/GET/secret",
        },
      ],
    });
    const open = { to: mock(), responses: { "200": json({}) } };
    const api = await serve(
      restApi({ "GET /open": open, "GET /secret": open, "POST /open": open }, { api: { policy } }),
    );
    expect((await api.call("/t/open")).status).toBe(200);
    const secret = await api.call("/t/secret");
    expect([secret.status, secret.headers.get("x-amzn-errortype")]).toEqual([
      403,
      "AccessDeniedException",
    ]);
    expect(secret.json.Message).toMatch(
      /^User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-central-1:\*{8}9012:api1\/t\/GET\/secret with an explicit deny/,
    );
    expect((await api.call("/t/open", { method: "POST" })).status).toBe(403);
    await api.stop();
  });
});

describe("stage variables", () => {
  it("are in the event, and in the names of functions", async () => {
    const to = lambda(`\${stageVariables.fn}`);
    const api = await serve(
      restApi({ "GET /": { to } }, { stage: { variables: { fn: "echo" } }, more: [permission()] }),
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

describe("binary types of everything", () => {
  it("break an OPTIONS mock, as in AWS, unless it converts to text", async () => {
    const api = await serve(
      restApi(
        {
          "OPTIONS /broken": { to: mock(204), responses: { "204": {} } },
          "OPTIONS /fine": {
            to: { ...mock(204), contentHandling: "CONVERT_TO_TEXT" },
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
  return part("integrationResponse:IntegrationResponse", "stray", {
    resourceId: "/",
    httpMethod: "GET",
    ...inputs,
  });
}
