import { once } from "node:events";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  account,
  echo,
  fails,
  lambda,
  lambdaArn,
  region,
  resource,
  restApi,
  returns,
  serve,
} from "../gateway.fixture.ts";

type Received = { req: IncomingMessage; body: Buffer };

/** An HTTP server that keeps the last request and sends the response that the test has set. */
let backend: Server;
let origin: string;
let received: Received;
let answer: { status: number; headers: Record<string, string>; body: Buffer | string };
let api: Awaited<ReturnType<typeof serve>>;

const s3 = (key: string, more: object = {}) => ({
  type: "AWS",
  integrationHttpMethod: "GET",
  uri: `arn:aws:apigateway:${region}:s3:path/${key}`,
  credentials: `arn:aws:iam::${account}:role/reader`,
  ...more,
});
const picture = {
  "method.response.header.Content-Type": "integration.response.header.Content-Type",
  "method.response.header.ETag": "integration.response.header.ETag",
};

beforeAll(async () => {
  backend = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk) => chunks.push(chunk));
    req.on("end", () => {
      received = { req, body: Buffer.concat(chunks) };
      res.writeHead(answer.status, answer.headers).end(answer.body);
    });
  }).listen(0, "127.0.0.1");
  await once(backend, "listening");
  origin = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  const proxied = {
    type: "HTTP_PROXY",
    integrationHttpMethod: "ANY",
    uri: `${origin}/up/{rest}`,
    requestParameters: {
      "integration.request.path.rest": "method.request.path.rest",
      "integration.request.header.x-stage": "stageVariables.color",
    },
  };
  const graph = restApi(
    {
      "GET /s3/{key+}": {
        integration: s3("bucket/images/{key}", {
          requestParameters: {
            "integration.request.path.key": "method.request.path.key",
            "integration.request.header.If-None-Match": "method.request.header.If-None-Match",
          },
        }),
        responses: {
          "200": { contentHandling: "CONVERT_TO_BINARY", responseParameters: picture },
          "304": {
            selectionPattern: "304",
            contentHandling: "CONVERT_TO_BINARY",
            responseParameters: {
              "method.response.header.ETag": "integration.response.header.ETag",
            },
          },
          "404": {
            selectionPattern: "40[34]",
            contentHandling: "CONVERT_TO_TEXT",
            responseParameters: {
              "method.response.header.Content-Type": "'application/problem+json'",
            },
            responseTemplates: { "application/json": `{"requestId":"$context.requestId"}` },
          },
        },
      },
      "GET /s3q": {
        integration: s3("bucket/{key}", {
          requestParameters: { "integration.request.path.key": "method.request.querystring.image" },
        }),
        responses: { "200": { responseParameters: picture } },
      },
      "PUT /s3/{key+}": {
        integration: s3("bucket/{key}", {
          integrationHttpMethod: "PUT",
          requestParameters: {
            "integration.request.path.key": "method.request.path.key",
            "integration.request.header.If-None-Match": "'*'",
          },
        }),
        responses: { "200": {} },
      },
      "ANY /http/{rest+}": { integration: proxied },
      "GET /gone": { integration: { ...proxied, uri: "http://127.0.0.1:1/" } },
      "POST /http": {
        integration: {
          type: "HTTP",
          integrationHttpMethod: "POST",
          uri: `${origin}/custom`,
          requestTemplates: { "application/json": `{"wrapped":$input.json('$.a')}` },
        },
        responses: {
          "200": {
            responseTemplates: {
              "application/json": `$input.path('$.map') $input.path('$.list') $input.json('$.none')`,
            },
          },
          "409": {
            selectionPattern: "4..",
            responseParameters: { "method.response.header.X-Why": "integration.response.body.why" },
          },
        },
      },
      "POST /later": {
        integration: {
          ...lambda("custom"),
          type: "AWS",
          requestParameters: {
            "integration.request.header.X-Amz-Invocation-Type": "method.request.header.x-how",
          },
        },
        responses: { "202": {} },
      },
    },
    {
      api: { binaryMediaTypes: ["image/png"] },
      stage: { variables: { color: "blue" } },
      more: [role("reader", "apigateway.amazonaws.com")],
    },
  );
  const custom = ({ say }: { say?: string }) =>
    say === "fail" ? fails("teapot") : returns({ said: say });
  api = await serve(graph, { echo, custom }, { s3: origin });
});
afterAll(async () => {
  await api.stop();
  backend.closeAllConnections();
  backend.close();
});

const role = (name: string, Service: string) =>
  resource(
    "aws:iam/role:Role",
    name,
    {
      name,
      assumeRolePolicy: {
        Statement: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service } },
      },
    },
    { arn: `arn:aws:iam::${account}:role/${name}` },
  );

// only what a client cannot see: the other rules are cases in tools/local-cloud/conformance
describe("an S3 integration", () => {
  const png = Buffer.from("89504e470d0a1a0a00ff", "hex");

  it("signs with its role and sends only what is mapped", async () => {
    answer = {
      status: 200,
      headers: { "content-type": "image/png", etag: '"1"', "x-amz-id-2": "secret" },
      body: png,
    };
    const response = await fetch(`http://127.0.0.1:${api.port}/t/s3/a/b%20c.png`, {
      headers: { "if-none-match": '"0"', cookie: "private" },
    });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(png);
    expect(response.headers.get("etag")).toBe('"1"');
    expect(response.headers.get("content-type")).toBe("image/png");
    expect(response.headers.get("x-amz-id-2")).toBeNull();
    const { req } = received;
    expect(req.url).toBe("/bucket/images/a/b%20c.png");
    expect(req.headers).toMatchObject({ "if-none-match": '"0"', accept: "application/json" });
    expect(req.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=ASIA/);
    expect(req.headers["x-amz-security-token"]).toBeTruthy();
    expect(req.headers).not.toHaveProperty("cookie");
  });

  it("percent-encodes a key from the query and does not resolve dot segments", async () => {
    answer = { status: 200, headers: {}, body: "" };
    await api.call("/t/s3q?image=..%2Fother%20%C3%A9%3Fx%23%25");
    expect(received.req.url).toBe("/bucket/../other%20%C3%A9%3Fx%23%25");
  });

  it("sends the bytes of a binary media type, and corrupts other bytes", async () => {
    answer = { status: 200, headers: {}, body: "" };
    const put = (type: string) =>
      api.call("/t/s3/a.png", { method: "PUT", body: png, headers: { "content-type": type } });
    await put("image/png");
    expect(received.body).toEqual(png);
    expect(received.req.headers).toMatchObject({
      "content-type": "image/png",
      "if-none-match": "*",
    });
    await put("image/jpeg");
    expect(received.body.length).toBeGreaterThan(png.length);
  });
});

describe("an HTTP integration", () => {
  it("of type HTTP_PROXY forwards the request and returns the response", async () => {
    answer = {
      status: 503,
      headers: { "x-from": "backend", server: "mine", "content-length": "4" },
      body: "busy",
    };
    const { status, text, headers } = await api.call("/t/http/a/b?c=1&c=2", {
      method: "POST",
      body: "hello",
      headers: { "x-mine": "1" },
    });
    expect([status, text, headers.get("x-from")]).toEqual([503, "busy", "backend"]);
    expect(headers.get("x-amzn-remapped-server")).toBe("mine");
    expect(headers.get("x-amzn-remapped-content-length")).toBe("4");
    expect(headers.get("x-amzn-remapped-connection")).toBe("keep-alive");
    expect(headers.get("x-amzn-remapped-date")).toMatch(/GMT$/);
    expect(headers.get("x-amzn-trace-id")).toBeNull();
    expect(received.req.url).toBe("/up/a/b?c=1&c=2");
    expect(received.req.headers).toMatchObject({ "x-mine": "1", "x-stage": "blue" });
    expect(String(received.body)).toBe("hello");
  });

  it("is 504 if its backend cannot be reached", async () => {
    const { status, json } = await api.call("/t/gone");
    expect([status, json]).toEqual([504, { message: "Network error communicating with endpoint" }]);
  });

  it("of type HTTP renders templates for request and response", async () => {
    answer = { status: 200, headers: {}, body: '{"map":{"foo":"bar"},"list":[1,"a"]}' };
    const post = () =>
      api.call("/t/http", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"a":{"b":1}}',
      });
    const { text } = await post();
    expect(String(received.body)).toBe('{"wrapped":{"b":1}}');
    expect(text).toBe('{foo=bar} [1,"a"] ""');
    answer = { status: 422, headers: {}, body: '{"why":"because"}' };
    const { status, headers } = await post();
    expect([status, headers.get("x-why")]).toEqual([409, "because"]);
  });
});

describe("a non-proxy Lambda integration", () => {
  it("with X-Amz-Invocation-Type: Event answers 202 and invokes the function later", async () => {
    const post = (how: string) =>
      api.call("/t/later", { method: "POST", body: `{"say":"hi"}`, headers: { "x-how": how } });
    expect(await post("Event")).toMatchObject({ status: 202, text: "" });
    expect(api.asynchronous.due(2)).toMatchObject([
      { functionArn: lambdaArn("custom"), payload: `{"say":"hi"}`, attempts: 0 },
    ]);
    expect(await post("RequestResponse")).toMatchObject({ status: 202, json: { said: "hi" } });
    expect((await post("DryRun")).status).toBe(500);
    expect(api.asynchronous.due(2)).toHaveLength(1);
  });
});
