import { once } from "node:events";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  account,
  echo,
  fails,
  json,
  lambda,
  lambdaArn,
  mock,
  region,
  resource,
  restApi,
  returns,
  serve,
} from "./gateway.fixture.ts";

type Received = { req: IncomingMessage; body: Buffer };

/** A backend of somebody else's: remembers what it got and answers what it is told. */
let backend: Server;
let origin: string;
let received: Received;
let answer: { status: number; headers: Record<string, string>; body: Buffer | string };
let api: Awaited<ReturnType<typeof serve>>;

const template = (text: string) => ({
  type: "MOCK",
  requestTemplates: { "application/json": text },
});
const responseTemplate = (text: string) => ({ responseTemplates: { "application/json": text } });
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
      "GET /mock/status": {
        to: template(`{"statusCode": $input.params('code')}`),
        responses: {
          "200": json({}),
          "404": { selectionPattern: String.raw`4\d{2}`, ...json({ mapped: true }) },
        },
      },
      "GET /mock/override": {
        to: template(
          `#set($context.responseOverride.status = 444)#set($context.responseOverride.header.X-Hand = "made"){"statusCode": 200}`,
        ),
        responses: { "200": json({}) },
      },
      "POST /mock/vtl": {
        to: mock(),
        responses: {
          "200": responseTemplate(
            `#set($list = [1, 2, 3])#foreach($n in $list)$n#if($foreach.hasNext),#end#end|$input.params().header.get("x-a")|$context.stage|$stageVariables.color|$util.urlEncode("a b")|$util.escapeJavaScript('"')|$nothing|$!nothing|`,
          ),
        },
      },
      "POST /mock/never": {
        to: { ...mock(), passthroughBehavior: "NEVER" },
        responses: { "200": {} },
      },
      "GET /mock/nostatus": { to: template("{}"), responses: { "200": {} } },
      "OPTIONS /cors": {
        to: mock(204),
        responses: {
          "204": {
            responseParameters: {
              "method.response.header.Access-Control-Allow-Origin": "'*'",
              "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
              "method.response.header.Access-Control-Allow-Headers": "'authorization'",
            },
          },
        },
      },
      "GET /s3/{key+}": {
        to: s3("bucket/images/{key}", {
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
        to: s3("bucket/{key}", {
          requestParameters: { "integration.request.path.key": "method.request.querystring.image" },
        }),
        responses: { "200": { responseParameters: picture } },
      },
      "PUT /s3/{key+}": {
        to: s3("bucket/{key}", {
          integrationHttpMethod: "PUT",
          requestParameters: {
            "integration.request.path.key": "method.request.path.key",
            "integration.request.header.If-None-Match": "'*'",
          },
        }),
        responses: { "200": {} },
      },
      "GET /s3bare/{key+}": {
        to: s3("bucket/{key}", {
          requestParameters: { "integration.request.path.key": "method.request.path.key" },
        }),
        responses: { "200": {} },
      },
      "GET /s3untrusted": {
        to: s3("bucket/x", { credentials: `arn:aws:iam::${account}:role/untrusting` }),
        responses: { "200": {} },
      },
      "GET /s3forbidden": {
        to: s3("bucket/x", {
          requestParameters: { "integration.request.header.Authorization": "'me'" },
        }),
        responses: { "200": {} },
      },
      "ANY /http/{rest+}": { to: proxied },
      "GET /gone": { to: { ...proxied, uri: "http://127.0.0.1:1/" } },
      "POST /http": {
        to: {
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
      "POST /custom": {
        to: {
          ...lambda("custom"),
          type: "AWS",
          requestTemplates: { "application/json": `{"say":"$input.path('$.say')"}` },
        },
        responses: { "200": {}, "418": { selectionPattern: "tea.*" } },
      },
      "POST /later": {
        to: {
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
      more: [
        role("reader", "apigateway.amazonaws.com"),
        role("untrusting", "lambda.amazonaws.com"),
      ],
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

describe("a mock", () => {
  it("§7A G54: answers with the status of its template, by pattern", async () => {
    expect((await api.call("/t/mock/status?code=200")).status).toBe(200);
    const { status, json } = await api.call("/t/mock/status?code=404");
    expect([status, json]).toEqual([404, { mapped: true }]);
  });

  it("§7A G55: without a status is 500", async () => {
    const { status, headers } = await api.call("/t/mock/nostatus");
    expect([status, headers.get("x-amzn-errortype")]).toEqual([
      500,
      "InternalServerErrorException",
    ]);
  });

  it("§7A G38: refuses a type without a template when told to", async () => {
    const { status, headers, json } = await api.call("/t/mock/never", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "x",
    });
    expect([status, json]).toEqual([415, { message: "Unsupported Media Type" }]);
    expect(headers.get("x-amzn-errortype")).toBe("BadRequestException");
  });

  it("§7A G58: is a preflight's answer", async () => {
    const { status, text, headers } = await api.call("/t/cors", { method: "OPTIONS" });
    expect([status, text]).toEqual([204, ""]);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-methods")).toBe("GET,OPTIONS");
    expect(headers.get("access-control-allow-headers")).toBe("authorization");
  });

  it("may override status and headers in either template", async () => {
    const { status, headers } = await api.call("/t/mock/override");
    expect([status, headers.get("x-hand")]).toEqual([444, "made"]);
  });

  it("renders VTL", async () => {
    const { text } = await api.call("/t/mock/vtl", { method: "POST", headers: { "x-a": "1" } });
    expect(text).toBe(String.raw`1,2,3|1|t|blue|a+b|\"|$nothing||`);
  });
});

describe("an S3 integration", () => {
  const png = Buffer.from("89504e470d0a1a0a00ff", "hex");

  it("asks with its role's signature, and hands on what is mapped", async () => {
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

  it("encodes what comes decoded from the query, and lets no path climb", async () => {
    answer = { status: 200, headers: {}, body: "" };
    await api.call("/t/s3q?image=..%2Fother%20%C3%A9%3Fx%23%25");
    expect(received.req.url).toBe("/bucket/../other%20%C3%A9%3Fx%23%25");
  });

  it("§7A G57: an error has the answer that its pattern chooses, whatever the browser accepts", async () => {
    answer = { status: 403, headers: { "content-type": "application/xml" }, body: "<Error/>" };
    const { status, json, headers } = await api.call("/t/s3/x", {
      headers: { accept: "image/png,*/*" },
    });
    expect(status).toBe(404);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(json).toEqual({ requestId: headers.get("x-amzn-requestid") });
  });

  it("304 has no body", async () => {
    answer = { status: 304, headers: { etag: '"1"' }, body: "" };
    const { status, text, headers } = await api.call("/t/s3/x");
    expect([status, text, headers.get("etag")]).toEqual([304, "", '"1"']);
  });

  it("§7A G56: without patterns, S3's error is a success in JSON's clothes", async () => {
    answer = {
      status: 404,
      headers: { "content-type": "application/xml" },
      body: "<Code>NoSuchKey</Code>",
    };
    const { status, text, headers } = await api.call("/t/s3bare/missing");
    expect([status, text]).toEqual([200, "<Code>NoSuchKey</Code>"]);
    expect(headers.get("content-type")).toBe("application/json");
  });

  it("without content handling, pixels are base64 unless asked for, and text asked for as pixels is 500", async () => {
    answer = { status: 200, headers: { "content-type": "image/png" }, body: png };
    expect((await api.call("/t/s3bare/x")).text).toBe(png.toString("base64"));
    answer = { status: 200, headers: { "content-type": "text/plain" }, body: "<>" };
    expect((await api.call("/t/s3bare/x", { headers: { accept: "image/png" } })).status).toBe(500);
  });

  it("§7A G34: puts the bytes of a binary type, and corrupts those of another", async () => {
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

  it("is 500 when the role does not trust the gateway, or a mapping sets what only the service may", async () => {
    expect((await api.call("/t/s3untrusted")).status).toBe(500);
    expect((await api.call("/t/s3forbidden")).status).toBe(500);
  });
});

describe("an HTTP integration", () => {
  it("as a proxy hands the request on and the answer back", async () => {
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

  it("that cannot be reached is 504", async () => {
    const { status, json } = await api.call("/t/gone");
    expect([status, json]).toEqual([504, { message: "Network error communicating with endpoint" }]);
  });

  it("as a custom one transforms both ways", async () => {
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

describe("a Lambda integration that is no proxy", () => {
  it("gets the template and chooses the answer by the error message", async () => {
    const post = (say: string) =>
      api.call("/t/custom", {
        method: "POST",
        body: JSON.stringify({ say }),
        headers: { "content-type": "application/json" },
      });
    expect((await post("hi")).json).toEqual({ said: "hi" });
    const failed = await post("fail");
    expect([failed.status, failed.json.errorMessage]).toEqual([418, "teapot"]);
  });

  it("is not waited for when the invocation is an event", async () => {
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
