import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { echo, json, lambda, mock, restApi, serve } from "./gateway.fixture.ts";

const toEcho = { to: lambda("echo") };
const who = (name: string) => ({ to: mock(), responses: { "200": json({ who: name }) } });

describe("routing, stage and path", () => {
  let api: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    api = await serve(
      restApi({
        "GET /": { to: mock(), responses: { "200": json({ root: true }) } },
        "ANY /echo": toEcho,
        "GET /echo/special": who("static"),
        "GET /echo/{id}": toEcho,
        "ANY /g/{proxy+}": toEcho,
        "POST /g/only-post": who("only-post"),
        "POST /part1/{id}/deep": who("deep"),
        "ANY /part1/{rest+}": toEcho,
        "GET /v/params": toEcho,
      }),
      { echo },
    );
  });
  afterAll(() => api.stop());

  it("§7A G01: the root answers, a mock has no trace id", async () => {
    const { status, headers, json } = await api.call("/t/");
    expect([status, json]).toEqual([200, { root: true }]);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    expect(headers.get("x-amz-apigw-id")).toMatch(/=$/);
    expect(headers.get("x-amzn-trace-id")).toBeNull();
  });

  it("§7A G02: an unknown stage is Forbidden", async () => {
    const { status, headers, json } = await api.call("/nostage/echo");
    expect([status, json]).toEqual([403, { message: "Forbidden" }]);
    expect(headers.get("x-amzn-errortype")).toBe("ForbiddenException");
  });

  it.each([
    ["G03", "GET", "/t/nope"],
    ["G04", "DELETE", "/t/v/params"],
    ["G08", "GET", "/t/g"],
  ])("§7A %s: %s %s is no route, which is never 404 or 405", async (_, method, path) => {
    const { status, headers, json } = await api.call(path, { method });
    expect([status, json]).toEqual([403, { message: "Missing Authentication Token" }]);
    expect(headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    expect(headers.get("allow")).toBeNull();
  });

  it("an unknown route with a token is taken for a bad signature", async () => {
    const { status, headers } = await api.call("/t/nope", {
      headers: { authorization: "Bearer x" },
    });
    expect([status, headers.get("x-amzn-errortype")]).toEqual([
      403,
      "IncompleteSignatureException",
    ]);
  });

  it("§7A G05: a literal comes before a parameter", async () => {
    expect((await api.call("/t/echo/special")).json).toEqual({ who: "static" });
  });

  it("§7A G06: a parameter has its name", async () => {
    const { json } = await api.call("/t/echo/other");
    expect(json).toMatchObject({ resource: "/echo/{id}", pathParameters: { id: "other" } });
  });

  it("§7A G07: a greedy parameter takes the rest", async () => {
    const { json } = await api.call("/t/g/a/b/c");
    expect(json).toMatchObject({
      resource: "/g/{proxy+}",
      path: "/g/a/b/c",
      pathParameters: { proxy: "a/b/c" },
      requestContext: { path: "/t/g/a/b/c" },
    });
  });

  it("§7A G09, G10: a resource without the method falls through to its greedy sibling", async () => {
    expect((await api.call("/t/g/only-post")).json.resource).toBe("/g/{proxy+}");
    expect((await api.call("/t/g/only-post", { method: "POST" })).json).toEqual({
      who: "only-post",
    });
  });

  it("falls through from below a parameter, and leaves none of its values behind", async () => {
    const { json } = await api.call("/t/part1/x/deep");
    expect(json).toMatchObject({ resource: "/part1/{rest+}" });
    expect(json.pathParameters).toEqual({ rest: "x/deep" });
  });

  it("§7A G11: a slash at the end is kept in the path and nowhere else", async () => {
    const { json } = await api.call("/t/g/a/");
    expect(json).toMatchObject({ path: "/g/a/", pathParameters: { proxy: "a" } });
  });

  it("double slashes: ignored before the stage, dropped after it, kept inside", async () => {
    expect(JSON.parse(await body("GET //t/echo"))).toMatchObject({ path: "/echo" });
    expect(JSON.parse(await body("GET /t//echo"))).toMatchObject({
      path: "/echo",
      requestContext: { path: "/t//echo" },
    });
    expect(JSON.parse(await body("GET /t/g/a//b"))).toMatchObject({
      pathParameters: { proxy: "a//b" },
    });
  });

  it("§7A G17: a path is not decoded", async () => {
    const { json } = await api.call("/t/g/u/test%2Balias@x.y/plus/a+b");
    expect(json.pathParameters.proxy).toBe("u/test%2Balias@x.y/plus/a+b");
    expect(json.path).toBe("/g/u/test%2Balias@x.y/plus/a+b");
  });

  it("a method that HTTP does not know is no ANY", async () => {
    expect(await body("PROPFIND /t/echo")).toContain("Missing Authentication Token");
  });

  async function body(line: string) {
    const answer = await api.raw(`${line} HTTP/1.1\nHost: x\nConnection: close\n\n`);
    return answer.split("\r\n\r\n")[1]!;
  }
});

describe("several APIs", () => {
  it("are told apart by their ids when their stages have one name", async () => {
    const one = restApi({ "GET /": { to: mock(), responses: { "200": json({ api: 1 }) } } });
    const two = JSON.parse(
      JSON.stringify(one)
        .replaceAll("api1", "api2")
        .replaceAll("deployment1", "deployment2")
        .replaceAll('{\\"api\\":1}', '{\\"api\\":2}')
        .replaceAll("stage1", "stage2")
        .replaceAll("urn:", "urn:2"),
    );
    const api = await serve({ ...one, resources: [...one.resources, ...two.resources] });
    expect(api.stages.map(({ path }) => path)).toEqual(["/_apis/api1/t", "/_apis/api2/t"]);
    expect((await api.call("/_apis/api2/t/")).json).toEqual({ api: 2 });
    await api.stop();
  });
});
