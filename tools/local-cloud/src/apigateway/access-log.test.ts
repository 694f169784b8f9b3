import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readBoundedFile } from "../bounded-file.ts";
import { findTrace } from "../xray/find-trace.ts";
import { type TraceStore, openTraceStore } from "../xray/trace-store.ts";
import {
  authorizerUri,
  echo,
  fails,
  lambda,
  mock,
  resource,
  restApi,
  returns,
  serve,
} from "./gateway.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "local-cloud-access-log-"));
const format = JSON.stringify({
  id: "$context.requestId",
  time: "$context.requestTime",
  trace: "$context.xrayTraceId",
  method: "$context.httpMethod",
  path: "$context.path",
  route: "$context.resourcePath",
  status: "$context.status",
  bytes: "$context.responseLength",
  ms: "$context.responseLatency",
  took: "${context.integration.latency}",
  lambda: "$context.integration.status",
  behind: "$context.integrationStatus",
  invocation: "$context.integration.requestId",
  failure: "$context.integration.error",
  error: "$context.error.responseType",
  refused: "$context.authorizer.error",
  level: "$context.authorizer.level",
  claims: "$context.authorizer.claims",
  key: "$context.identity.apiKeyId",
  agent: "$context.identity.userAgent",
  odd: "$context.no.such.thing",
});
const accessLogSettings = {
  destinationArn: "arn:aws:logs:eu-central-1:123456789012:log-group:a",
  format,
};
const custom = { authorization: "CUSTOM", authorizerId: "authorizer1" };

let api: Awaited<ReturnType<typeof serve>>;
let traces: TraceStore;
const events: { headers: Record<string, string> }[] = [];

beforeAll(async () => {
  traces = openTraceStore(folder, () => {});
  const graph = restApi(
    {
      "GET /mock": { integration: mock(), responses: { 200: {} } },
      "GET /echo/{proxy+}": { integration: lambda("echo") },
      "GET /late": { integration: lambda("late") },
      "GET /fail": { integration: lambda("fail") },
      "GET /slow": { integration: lambda("slow", { timeoutMilliseconds: 60 }) },
      "GET /guarded": { integration: lambda("late"), method: custom },
      "GET /stream": { integration: lambda("stream", { responseTransferMode: "STREAM" }) },
    },
    {
      stage: { accessLogSettings, xrayTracingEnabled: true },
      more: [
        resource("aws:apigateway/authorizer:Authorizer", "authorizer1", {
          restApi: "api1",
          type: "TOKEN",
          identitySource: "method.request.header.Authorization",
          authorizerResultTtlInSeconds: 0,
          authorizerUri: authorizerUri("judge"),
        }),
      ],
    },
  );
  const late = () => returns({ statusCode: 404, body: "näh" });
  api = await serve(
    graph,
    {
      echo: (event) => {
        events.push(event as (typeof events)[number]);
        return echo(event);
      },
      late,
      fail: () => fails('no "such" size'),
      slow: async () => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return returns({});
      },
      judge: ({ authorizationToken, methodArn }) =>
        authorizationToken === "no"
          ? fails("Unauthorized")
          : returns({
              principalId: "p",
              context: { level: 3 },
              policyDocument: {
                Version: "2012-10-17",
                Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: methodArn }],
              },
            }),
      stream: () => ({
        kind: "stream",
        prelude: {},
        body: Readable.from([Buffer.alloc(70_000), Buffer.alloc(5)]),
      }),
    },
    { logFolder: folder, traces },
  );
});
afterAll(async () => {
  await api.stop();
  traces.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The answer, and the line that the stage's log has of it. */
async function ask(path: string, headers: Record<string, string> = {}) {
  const answer = await api.call(path, { headers });
  const id = answer.headers.get("x-amzn-requestid")!;
  const lines = () =>
    readBoundedFile(join(folder, "access-t.log")).filter((line) => line.includes(id));
  await expect.poll(() => lines().length).toBe(1);
  return { ...answer, id, line: JSON.parse(lines()[0]!) as Record<string, string> };
}

describe("the access log of a stage", () => {
  it("has the line of a request in the stage's own format, `-` for what is not known", async () => {
    const { line, id } = await ask("/t/mock?sig=secret", { "user-agent": "a test" });
    expect(line).toEqual({
      id,
      time: expect.stringMatching(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      trace: expect.stringMatching(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/),
      method: "GET",
      path: "/t/mock",
      route: "/mock",
      status: "200",
      bytes: "0",
      ms: expect.stringMatching(/^\d+$/),
      took: "-",
      lambda: "-",
      behind: "-",
      invocation: "-",
      failure: "-",
      error: "-",
      refused: "-",
      level: "-",
      claims: "-",
      key: "-",
      agent: "a test",
      odd: "-",
    });
  });

  it("tells Lambda's status from the function's, and how long it took", async () => {
    const { line } = await ask("/t/late");
    expect(line).toMatchObject({ status: "404", bytes: "4", lambda: "200", behind: "404" });
    expect(line["took"]).toMatch(/^\d+$/);
    expect(line["invocation"]).toMatch(/^[\w-]{36}$/);
  });

  it("says why a function failed, and that it was given up on", async () => {
    expect((await ask("/t/fail")).line).toMatchObject({
      status: "502",
      lambda: "200",
      behind: "-",
      failure: 'no "such" size',
      error: "INTEGRATION_FAILURE",
    });
    const { line } = await ask("/t/slow");
    expect(line).toMatchObject({ status: "504", lambda: "-", error: "INTEGRATION_TIMEOUT" });
    expect(Number(line["took"])).toBeGreaterThanOrEqual(60);
  });

  it("counts the bytes of a stream", async () => {
    expect((await ask("/t/stream")).line).toMatchObject({ status: "200", bytes: "70005" });
  });

  it("knows what the gateway refused, and what an authorizer said", async () => {
    expect((await ask("/t/nope")).line).toMatchObject({
      status: "403",
      route: "-",
      error: "MISSING_AUTHENTICATION_TOKEN",
      refused: "-",
    });
    expect((await ask("/t/guarded", { authorization: "no" })).line).toMatchObject({
      status: "401",
      error: "UNAUTHORIZED",
      refused: "Unauthorized",
    });
    expect((await ask("/t/guarded", { authorization: "yes" })).line).toMatchObject({
      status: "404",
      refused: "-",
      level: "3",
    });
  });

  it("stays a line of JSON whatever a client sends", async () => {
    const agent = 'x","status":"200","y":"\\';
    const { line } = await ask("/t/nope", { "user-agent": agent });
    expect(line).toMatchObject({ agent, status: "403" });
  });

  it("has no line for a path outside every stage", async () => {
    await api.call("/elsewhere");
    await ask("/t/mock");
    expect(readdirSync(folder).toSorted()).toEqual(["access-t.log", "logs"]);
    expect(readFileSync(join(folder, "access-t.log"), "utf8")).not.toContain("elsewhere");
  });
});

describe("the segment of a stage", () => {
  it("stands above those of what it calls", async () => {
    const [root, parent] = ["1-5f000000-000000000000000000000002", "00000000000000ab"];
    const { id } = await ask("/t/echo/a?sig=secret", {
      "x-amzn-trace-id": `Root=${root};Parent=${parent};Sampled=1`,
    });
    await expect.poll(() => findTrace(folder, id)?.roots.length).toBe(1);
    const [stage] = findTrace(folder, id)!.roots;
    expect(stage?.segment).toMatchObject({
      trace_id: root,
      parent_id: parent,
      name: "Api/t",
      origin: "AWS::ApiGateway::Stage",
      resource_arn: "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/t",
      http: {
        request: { method: "GET", url: `http://127.0.0.1:${api.port}/t/echo/a` },
        response: { status: 200 },
      },
      aws: { api_gateway: { rest_api_id: "api1", stage: "t", request_id: id } },
      subsegments: [{ name: "Lambda", aws: { function_name: "echo" } }],
    });
    // the function's segment will have the call as its parent
    expect(events.at(-1)!.headers["X-Amzn-Trace-Id"]).toContain(
      `Root=${root};Parent=${stage!.children[0]!.segment.id};Sampled=1`,
    );
  });

  it("is an error when the client is at fault, a fault when we are", async () => {
    const parts = [];
    for (const path of ["/t/nope", "/t/fail"]) {
      const { id } = await ask(path);
      await expect.poll(() => findTrace(folder, id)?.roots.length).toBe(1);
      parts.push(findTrace(folder, id)!.roots[0]!.segment);
    }
    expect(parts.map(({ error, fault }) => [error, fault])).toEqual([
      [true, undefined],
      [undefined, true],
    ]);
  });

  it("is not there when the client wants no trace", async () => {
    const root = "1-5f000000-000000000000000000000003";
    await ask("/t/late", { "x-amzn-trace-id": `Root=${root};Sampled=0` });
    const { id } = await ask("/t/late");
    await expect.poll(() => findTrace(folder, id)?.roots.length).toBe(1);
    expect(findTrace(folder, root)).toBeUndefined();
  });
});

it("a format without the id of the request is refused at the start, and so is a log that goes elsewhere", async () => {
  const stage = (settings: object) =>
    restApi({ "GET /mock": { integration: mock() } }, { stage: { accessLogSettings: settings } });
  await expect(serve(stage({ ...accessLogSettings, format: "$context.path" }))).rejects.toThrow(
    /stage1: .*\$context\.requestId/,
  );
  const destinationArn =
    "arn:aws:firehose:eu-central-1:123456789012:deliverystream/amazon-apigateway-a";
  await expect(serve(stage({ ...accessLogSettings, destinationArn }))).rejects.toThrow(
    /stage1: .*firehose.* is not emulated/,
  );
});
