import { AwsError } from "@balde/core/aws-request";
import { VisibleError } from "@balde/core/error";
import type { Problem } from "@balde/http/problem";
import { Hono } from "hono/tiny";
import { expect, test, vi } from "vitest";
import * as z from "zod/mini";

import { restEvent } from "../test/rest-event.ts";
import { cors } from "./cors.ts";
import { type Env, answerInTime, notFound, onError } from "./http.ts";
import { json, list, number, path, query } from "./validators.ts";
import { serve } from "./rest-event.ts";

const app = new Hono<Env>()
  .onError(onError)
  .notFound(notFound)
  .use(cors)
  .use(answerInTime)
  .get(
    "/list",
    query(
      z.strictObject({
        limit: z.optional(number(z.int().check(z.maximum(9)))),
        tag: z.optional(z.string()),
      }),
    ),
    (c) => c.json(c.req.valid("query")),
  )
  .get("/ids", query(z.strictObject({ ids: list(z.array(number(z.int()))) })), (c) =>
    c.json(c.req.valid("query")),
  )
  .get(
    "/one/:id",
    path(z.strictObject({ id: z.string().check(z.regex(/^\d$/, "an id is a digit")) })),
    (c) => c.json(c.req.valid("param")),
  )
  .post("/", json(z.strictObject({ title: z.string(), tags: z.array(z.string()) })), (c) =>
    c.json(c.req.valid("json")),
  )
  .get("/bug", () => {
    throw new Error("the password is 1234");
  })
  .get("/throttled", () => {
    const call = { service: "dynamodb", method: "POST", path: "/" } as const;
    throw new AwsError(call, 400, '{"__type":"x#ThrottlingException","message":"Data"}');
  })
  .get("/slow", () => new Promise<never>(() => {}))
  .get("/busy", () => {
    throw new VisibleError("unavailable", "render.busy", "Busy", { retryAfterSeconds: 3 });
  });
const handler = serve(app);

async function call(...[method, path, parts]: Parameters<typeof restEvent>) {
  const { statusCode, headers = {}, body } = await handler(restEvent(method, path, parts));
  return { status: statusCode, headers, body: JSON.parse(body) as Problem };
}
const get = (path: string, query?: Record<string, string[]>) =>
  call("GET", path, query ? { query } : {});
const post = (body: string, type = "application/json") =>
  call("POST", "/", { body, headers: { "content-type": type } });

test("a failure is problem+json with its code, its status and the request's id", async () => {
  const { status, headers, body } = await get("/nowhere");
  expect(headers["content-type"]).toBe("application/problem+json");
  expect(headers["cache-control"]).toBe("no-store");
  expect(body).toEqual({
    type: "about:blank",
    title: "Not found",
    status: 404,
    detail: "No GET /nowhere here",
    code: "route.not_found",
    requestId: restEvent("GET", "/").requestContext.requestId,
  });
  expect(status).toBe(404);
});

test("an unknown query key is rejected by name, with the allowed ones", async () => {
  const { status, body } = await get("/list", { page: ["2"] });
  expect(status).toBe(400);
  expect(body.code).toBe("input.invalid");
  expect(body.errors).toEqual([{ parameter: "page", detail: "is unknown; allowed: limit, tag" }]);
  expect(body.detail).toContain("page");
});

test.each([["0x1"], ["1e0"], [""], ["1.5"], ["abc"], ["10"]])(
  "limit=%s is rejected",
  async (limit) => {
    const { status, body } = await get("/list", { limit: [limit] });
    expect([status, body.errors?.[0]]).toEqual([
      400,
      expect.objectContaining({ parameter: "limit" }),
    ]);
  },
);

test("a repeated query key is rejected", async () => {
  const { status, body } = await get("/list", { tag: ["a", "b"] });
  expect([status, body.errors]).toEqual([
    400,
    [{ parameter: "tag", detail: "is repeated; send it once" }],
  ]);
});

test("all wrong query keys are named in one response", async () => {
  const { body } = await get("/list", { limit: ["99"], page: ["2"], size: ["3"] });
  expect(body.errors?.map((error) => "parameter" in error && error.parameter)).toEqual([
    "limit",
    "page",
    "size",
  ]);
});

test("numbers and lists in a query are converted", async () => {
  expect((await get("/list", { limit: ["7"] })).body).toEqual({ limit: 7 });
  expect((await get("/ids", { ids: ["1,2"] })).body).toEqual({ ids: [1, 2] });
});

test("a wrong value in a list is reported with the name of its parameter", async () => {
  expect((await get("/ids", { ids: ["1,x"] })).body.errors).toEqual([
    { parameter: "ids", detail: "expected a whole number" },
  ]);
});

test("a wrong path parameter is 400 and named", async () => {
  const { status, body } = await get("/one/%F0%9F%90%9F");
  expect([status, body.errors]).toEqual([400, [{ parameter: "id", detail: "an id is a digit" }]]);
});

test("a wrong value in the body is reported with its JSON pointer", async () => {
  const { status, body } = await post('{"title":"x","tags":["a",1]}');
  expect([status, body.errors?.[0]]).toEqual([
    400,
    { pointer: "#/tags/1", detail: expect.any(String) },
  ]);
});

test("an unknown key in the body is rejected", async () => {
  const { body } = await post('{"title":"x","tags":[],"ownerId":"me"}');
  expect(body.errors).toEqual([
    { pointer: "#/ownerId", detail: "is unknown; allowed: title, tags" },
  ]);
});

test.each(["", "{", '"text"', "[]", "null"])("the body %j is 400", async (body) => {
  expect((await post(body)).status).toBe(400);
});

test.each(["text/plain", "application/x-www-form-urlencoded", "image/png"])(
  "JSON with the content type %s is 415",
  async (type) => {
    expect((await post('{"title":"x","tags":[]}', type)).status).toBe(415);
  },
);

test.each(["application/json; charset=utf-8", "application/merge-patch+json"])(
  "JSON may have the content type %s",
  async (type) => {
    expect((await post('{"title":"x","tags":[]}', type)).status).toBe(200);
  },
);

test("a bug is 500 without its message, and the log has the whole error", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { status, body } = await get("/bug");
  expect([status, body.code]).toEqual([500, "internal"]);
  expect(JSON.stringify(body)).not.toContain("1234");
  expect(log.mock.calls[0]?.[0]).toMatchObject({
    requestId: body.requestId,
    error: expect.objectContaining({ message: "the password is 1234" }),
  });
});

test("an error with a retry time has a Retry-After header", async () => {
  const { status, headers } = await get("/busy");
  expect([status, headers["retry-after"]]).toEqual([503, "3"]);
});

test("a failure of AWS is 503 with a time to retry, and the log has the whole error", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { status, headers, body } = await get("/throttled");
  expect([status, body.code, headers["retry-after"]]).toEqual([503, "service.unavailable", "2"]);
  expect(JSON.stringify(body)).not.toContain("Data");
  expect(log.mock.calls[0]?.[0]).toMatchObject({ error: expect.any(AwsError) });
});

test("a request that takes as long as its function has is 503", async () => {
  const event = restEvent("GET", "/slow");
  const { statusCode, headers, body } = await handler(event, {
    getRemainingTimeInMillis: () => 1_050,
  });
  expect([statusCode, headers?.["retry-after"], JSON.parse(body).code]).toEqual([
    503,
    "2",
    "service.unavailable",
  ]);
});

test("1,500 unknown keys of a query, and 20,000 of a body, have a small answer that lists ten", async () => {
  const keys = (count: number) => Array.from({ length: count }, (_, n) => `k${n}`);
  const wrongQuery = await get("/list", Object.fromEntries(keys(1_500).map((key) => [key, [""]])));
  const wrongBody = await post(
    JSON.stringify(Object.fromEntries(keys(20_000).map((key) => [key, 1]))),
  );
  for (const { status, body } of [wrongQuery, wrongBody]) {
    expect([status, body.errors?.length]).toEqual([400, 10]);
    expect(JSON.stringify(body).length).toBeLessThan(5_000);
  }
});

test("a JSON body of more than 256 KiB is 413", async () => {
  const body = (bytes: number) => JSON.stringify({ title: "x", tags: ["a".repeat(bytes)] });
  expect((await post(body(250_000))).status).toBe(200);
  const { status, body: problem } = await post(body(262_144));
  expect([status, problem.code]).toEqual([413, "body.too_large"]);
});

test("only a configured origin may read a response, failures included", async () => {
  vi.stubEnv("ORIGINS", "https://a.example,http://localhost:5173");
  const origin = async (origin: string, path: string) => {
    const { headers } = await call("GET", path, { headers: { Origin: origin } });
    expect(headers.vary).toBe("origin");
    expect(headers["access-control-expose-headers"]).toContain("ETag");
    return headers["access-control-allow-origin"];
  };
  expect(await origin("https://a.example", "/list")).toBe("https://a.example");
  expect(await origin("http://localhost:5173", "/nowhere")).toBe("http://localhost:5173");
  expect(await origin("https://evil.example", "/list")).toBeUndefined();
  expect(await origin("https://a.example.evil", "/list")).toBeUndefined();
});

test("without configured origins no script of another origin may read a response", async () => {
  vi.stubEnv("ORIGINS", "");
  const { headers } = await call("GET", "/list", { headers: { Origin: "" } });
  expect(headers["access-control-allow-origin"]).toBeUndefined();
});
