import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { echo, fails, lambda, restApi, returns, serve } from "./gateway.fixture.ts";

const STREAM = { responseTransferMode: "STREAM" };
const png = Buffer.from("89504e470d0a1a0a00ff", "hex");
let api: Awaited<ReturnType<typeof serve>>;
let live = new PassThrough();
let signal: AbortSignal | undefined;
let failures = 0;
let slowEnded = false;

beforeAll(async () => {
  const graph = restApi(
    {
      "ANY /echo": { to: lambda("echo") },
      "ANY /g/{proxy+}": { to: lambda("echo") },
      "POST /raw": { to: lambda("raw") },
      "GET /fail": { to: lambda("fail") },
      "GET /slow": { to: lambda("slow", { timeoutMilliseconds: 200 }) },
      "POST /bin/in": { to: lambda("echo") },
      "GET /bin/out": { to: lambda("png") },
      "ANY /stream": { to: lambda("stream", STREAM) },
      "GET /live": { to: lambda("live", STREAM) },
      "GET /unstreamed": { to: lambda("echo", STREAM) },
      "GET /get": { to: lambda("echo", { integrationHttpMethod: "GET" }) },
      "GET /big": { to: lambda("big") },
      "GET /throttled": { to: lambda("throttled") },
    },
    { api: { binaryMediaTypes: ["image/png", "application/octet-stream"] } },
  );
  api = await serve(graph, {
    echo,
    raw: ({ body }) => ({ kind: "ok", payload: Buffer.from(body) }),
    fail: () => {
      failures++;
      return fails("secret detail");
    },
    slow: async () => {
      await wait(1500);
      slowEnded = true;
      return returns({});
    },
    png: () =>
      returns({
        isBase64Encoded: true,
        body: png.toString("base64"),
        headers: { "Content-Type": "image/png" },
      }),
    stream: () => ({
      kind: "stream",
      prelude: {
        statusCode: 201,
        headers: { "content-type": "image/png", "Content-Length": "9", ETag: '"1"' },
        cookies: ["a=1", "b=2"],
      },
      body: Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(1_048_576, 7))),
    }),
    live: (_, aborted) => {
      signal = aborted;
      live = new PassThrough();
      return { kind: "stream", prelude: {}, body: live };
    },
    big: () => returns({ body: "x".repeat(6_291_556) }),
    throttled: () => ({ kind: "throttled" }),
  });
});
afterAll(() => api.stop());

const badGateway = { message: "Internal server error" };

describe("the event of a Lambda proxy integration", () => {
  it("§7A G12: has exactly these keys, with null for what is not there", async () => {
    const { json } = await api.call("/t/echo");
    expect(Object.keys(json).toSorted()).toEqual([
      "body",
      "headers",
      "httpMethod",
      "isBase64Encoded",
      "multiValueHeaders",
      "multiValueQueryStringParameters",
      "path",
      "pathParameters",
      "queryStringParameters",
      "requestContext",
      "resource",
      "stageVariables",
    ]);
    expect(json).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
    });
  });

  it("§7A G13: the context names the request, its time and its stage", async () => {
    const { json, headers } = await api.call("/t/echo");
    const context = json.requestContext;
    expect(context.requestId).toBe(headers.get("x-amzn-requestid"));
    expect(context.extendedRequestId).toBe(headers.get("x-amz-apigw-id"));
    expect(context.requestTime).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(Math.abs(Date.now() - context.requestTimeEpoch)).toBeLessThan(60_000);
    expect(context).toMatchObject({
      protocol: "HTTP/1.1",
      stage: "t",
      accountId: "123456789012",
      apiId: "api1",
      deploymentId: "deployment1",
      httpMethod: "GET",
      resourcePath: "/echo",
    });
    expect(context).not.toHaveProperty("authorizer");
  });

  it("§7A G14: the identity has twelve keys, ten of them null", async () => {
    const { json } = await api.call("/t/echo", { headers: { "user-agent": "judge/1" } });
    const { sourceIp, userAgent, ...others } = json.requestContext.identity;
    expect(sourceIp).toBe("127.0.0.1");
    expect(userAgent).toBe("judge/1");
    expect(Object.values(others)).toEqual(Array.from({ length: 10 }, () => null));
  });

  it("§7A G15: the query has the last value, and every value in order", async () => {
    const { json } = await api.call("/t/echo?a=1&a=2&b=x");
    expect(json.queryStringParameters).toEqual({ a: "2", b: "x" });
    expect(json.multiValueQueryStringParameters).toEqual({ a: ["1", "2"], b: ["x"] });
  });

  it("§7A G16: the query is decoded", async () => {
    const { json } = await api.call("/t/echo?p=a+b&q=a%2Bb&w=foo%20bar&__proto__=x&lone=%");
    expect(json.queryStringParameters).toMatchObject({
      p: "a b",
      q: "a+b",
      w: "foo bar",
      lone: "%",
    });
    expect(Object.keys(json.queryStringParameters)).toContain("__proto__");
  });

  it("§7A G18, G19, G21: headers keep their casing, the last value counts, hop-by-hop ones are dropped", async () => {
    const event = await rawEvent(
      "GET /t/echo HTTP/1.1\nhost: x.test:80\ntEsT-HEADeR: aValUE\nx-m: 1\nx-m: 2\nTE: trailers\nMax-Forwards: 1\nauthorization: tok\nConnection: close\n\n",
    );
    expect(event.headers).toMatchObject({
      "tEsT-HEADeR": "aValUE",
      "x-m": "2",
      Host: "x.test:80",
      Authorization: "tok",
      "X-Forwarded-Proto": "https",
    });
    expect(event.multiValueHeaders["x-m"]).toEqual(["1", "2"]);
    for (const name of ["Connection", "TE", "Max-Forwards", "Content-Length"])
      expect(Object.keys(event.headers).map((key) => key.toLowerCase())).not.toContain(
        name.toLowerCase(),
      );
    expect(event.requestContext).toMatchObject({ domainName: "x.test", domainPrefix: "x" });
  });

  it("§7A G20: text arrives as text", async () => {
    const body = '{"a":"ü"}';
    const { json } = await api.call("/t/echo", { method: "POST", body });
    expect(json).toMatchObject({ body, isBase64Encoded: false });
  });

  it("§7A G22: the trace goes on under its root", async () => {
    const root = "1-5f000000-000000000000000000000001";
    const { json, headers } = await api.call("/t/echo", {
      headers: { "x-amzn-trace-id": `Root=${root}` },
    });
    expect(headers.get("x-amzn-trace-id")).toContain(`Root=${root}`);
    expect(json.headers["X-Amzn-Trace-Id"]).toMatch(
      new RegExp(`^Root=${root};Parent=[0-9a-f]{16}`),
    );
  });

  it("§7A G31: a body of a binary type arrives as base64, whole", async () => {
    const { json } = await api.call("/t/bin/in", {
      method: "POST",
      body: png,
      headers: { "content-type": "image/png" },
    });
    expect(json.isBase64Encoded).toBe(true);
    expect(sha(Buffer.from(json.body, "base64"))).toBe(sha(png));
  });

  it("a body of another type is text, and bytes are lost", async () => {
    const { json } = await api.call("/t/bin/in", {
      method: "POST",
      body: png,
      headers: { "content-type": "image/webp" },
    });
    expect(json.isBase64Encoded).toBe(false);
    expect(json.body).toContain("\ufffd");
  });
});

describe("the answer of a Lambda proxy function", () => {
  const raw = (result: unknown, headers: Record<string, string> = {}) =>
    api.call("/t/raw", { method: "POST", body: JSON.stringify(result), headers });

  it("§7A G23: a status alone is an empty JSON answer", async () => {
    for (const [result, status] of [
      [{ statusCode: 200 }, 200],
      [{ statusCode: "201" }, 201],
      [{}, 200],
      [{ headers: null }, 200],
    ] as const) {
      const answer = await raw(result);
      expect([answer.status, answer.text]).toEqual([status, ""]);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.headers.get("content-length")).toBe("0");
    }
  });

  it("§7A G24: header values may be booleans", async () => {
    const { status, headers } = await raw({
      headers: { "test-header": "value", "header-bool": true },
    });
    expect([status, headers.get("test-header"), headers.get("header-bool")]).toEqual([
      200,
      "value",
      "true",
    ]);
  });

  it.each([
    ["G25: an unknown key", { statusCode: 200, wrongValue: "x" }],
    ["G26: a status that is no number", { statusCode: "test" }],
    ["G26: a string", "just a string"],
    ["null", null],
    ["a header name with a space", { headers: { "x y": "1" } }],
    ["a header list that is none", { multiValueHeaders: { h: "notalist" } }],
    ["a body that is an object", { body: { a: 1 } }],
    ["cookies, which only HTTP APIs know", { cookies: ["a=1"] }],
  ])("§7A %s is 502", async (_, result) => {
    const { status, headers, json } = await raw(result);
    expect([status, json]).toEqual([502, badGateway]);
    expect(headers.get("x-amzn-errortype")).toMatch(/^InternalServerErrorException/);
  });

  it("§7A G27: several values of one header; both maps are merged", async () => {
    const multi = await raw({ multiValueHeaders: { "test-multi": ["value1", "value2"] } });
    expect(multi.headers.get("test-multi")).toBe("value1, value2");
    const both = await raw({
      multiValueHeaders: { "X-Both": ["multi"] },
      headers: { "x-both": "solo" },
    });
    expect(both.headers.get("x-both")).toBe("multi, solo");
  });

  it("§7A G28: base64 stays text unless the first Accept type is binary", async () => {
    const result = { statusCode: 200, isBase64Encoded: true, body: "dGVzdC1kYXRh" };
    expect((await raw(result, { accept: "*/*" })).text).toBe("dGVzdC1kYXRh");
    expect((await raw(result, { accept: "image/webp,image/png" })).text).toBe("dGVzdC1kYXRh");
    expect((await raw(result, { accept: "image/png,*/*;q=0.8" })).text).toBe("test-data");
    expect((await raw({ ...result, body: "?" }, { accept: "image/png" })).status).toBe(500);
  });

  it("§7A G29, §2.2 L1: a failing function is 502 without a word of it, and is not called again", async () => {
    const { status, json, text } = await api.call("/t/fail");
    expect([status, json]).toEqual([502, badGateway]);
    await wait(200);
    expect(failures).toBe(1);
    expect(text).not.toContain("secret");
  });

  it("§7A G30: a slow function is 504, and runs on", async () => {
    const started = performance.now();
    const { status, json, headers } = await api.call("/t/slow");
    expect([status, json]).toEqual([504, { message: "Endpoint request timed out" }]);
    expect(headers.get("x-amzn-errortype")).toMatch(/^InternalServerErrorException/);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(slowEnded).toBe(false);
    await expect.poll(() => slowEnded, { timeout: 5_000 }).toBe(true);
  });

  it("§7A G32, G33: pixels for who asks for them first, base64 text for the others", async () => {
    const get = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${api.port}/t/bin/out`, { headers });
    const asked = await get({ accept: "image/png" });
    expect(asked.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await asked.arrayBuffer())).toEqual(png);
    expect(await (await get({ accept: "image/jpg" })).text()).toBe(png.toString("base64"));
    const none = await api.raw("GET /t/bin/out HTTP/1.1\nHost: x\nConnection: close\n\n");
    expect(none).toContain(png.toString("base64"));
  });

  it("some headers come out under another name", async () => {
    const { headers } = await raw({
      headers: {
        "WWW-Authenticate": "Bearer",
        Server: "me",
        Date: "never",
        "Content-Length": "99",
      },
    });
    expect(headers.get("www-authenticate")).toBeNull();
    expect(headers.get("x-amzn-remapped-www-authenticate")).toBe("Bearer");
    expect(headers.get("x-amzn-remapped-server")).toBe("me");
    expect(headers.get("x-amzn-remapped-date")).toBe("never");
    expect(headers.get("x-amzn-remapped-content-length")).toBe("99");
  });

  it("a line break cannot start another header", async () => {
    const { headers } = await raw({ headers: { "x-a": "1\r\nx-b: 2" } });
    expect([headers.get("x-a"), headers.get("x-b")]).toEqual(["1x-b: 2", null]);
  });

  it("an integration that does not POST is 500, as is a throttled function", async () => {
    expect((await api.call("/t/get")).status).toBe(500);
    expect((await api.call("/t/throttled")).status).toBe(500);
  });
});

describe("limits", () => {
  it("§7A G35: over 10 MB is 413 in plain text", async () => {
    const { status, text, headers } = await api.call("/t/echo", {
      method: "POST",
      body: Buffer.alloc(10_485_761),
    });
    expect([status, text]).toEqual([413, "HTTP content length exceeded 10485760 bytes."]);
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("so it is when the length is not told", async () => {
    const body = Readable.toWeb(
      Readable.from(Array.from({ length: 11 }, () => Buffer.alloc(1_048_576))),
    );
    const { status } = await api.call("/t/echo", {
      method: "POST",
      body,
      duplex: "half",
    } as RequestInit);
    expect(status).toBe(413);
  });

  it("an event over 6 MB is 413 from Lambda, an answer over 6 MB is 502", async () => {
    const body = "x".repeat(6_291_456);
    const { status, json } = await api.call("/t/echo", { method: "POST", body });
    expect([status, json]).toEqual([413, { message: "Request Too Long" }]);
    expect((await api.call("/t/big")).status).toBe(502);
  });

  it("too long a URL is 414, too many headers are 431", async () => {
    expect((await api.call(`/t/echo?${"q".repeat(10_300)}`)).status).toBe(414);
    expect((await api.call("/t/echo", { headers: { long: "h".repeat(10_300) } })).status).toBe(431);
  });
});

describe("a streamed answer", () => {
  it("has status, headers and cookies, and no 6 MB ceiling", async () => {
    const response = await fetch(`http://127.0.0.1:${api.port}/t/stream`);
    expect([response.status, response.headers.get("etag")]).toEqual([201, '"1"']);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("x-amzn-remapped-content-length")).toBe("9");
    expect((await response.arrayBuffer()).byteLength).toBe(20 * 1_048_576);
  });

  it("answers HEAD without a body", async () => {
    const { status, text, headers } = await api.call("/t/stream", { method: "HEAD" });
    expect([status, text, headers.get("content-type")]).toEqual([201, "", "image/png"]);
  });

  it("sends the first byte before the last exists, and tells the function when the client leaves", async () => {
    const socket = connect(api.port, "127.0.0.1");
    socket.write("GET /t/live HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toContain("HTTP/1.1 200 OK");
    live.write("first");
    expect(String((await once(socket, "data"))[0])).toContain("first");
    expect(signal?.aborted).toBe(false);
    const closed = new Promise((resolve) => live.once("close", resolve));
    socket.destroy();
    await closed;
    expect(signal?.aborted).toBe(true);
  });

  it("cuts the connection when the function breaks off", async () => {
    const response = await fetch(`http://127.0.0.1:${api.port}/t/live`);
    live.write("half");
    live.destroy(new Error("crashed"));
    await expect(response.text()).rejects.toThrow("terminated");
  });

  it("of a function that does not stream is 502", async () => {
    expect((await api.call("/t/unstreamed")).status).toBe(502);
  });

  it("is one line in the log, with its function", async () => {
    await api.call("/t/stream");
    expect(api.lines.at(-1)).toMatchObject({
      method: "GET",
      path: "/t/stream",
      status: 201,
      function: "stream",
    });
  });
});

const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

async function rawEvent(request: string) {
  return JSON.parse((await api.raw(request)).split("\r\n\r\n")[1]!);
}
