import { once } from "node:events";
import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { echo, fails, lambda, restApi, returns, serve } from "../gateway.fixture.ts";

const STREAM = { responseTransferMode: "STREAM" };
let api: Awaited<ReturnType<typeof serve>>;
let live = new PassThrough();
let signal: AbortSignal | undefined;
let failures = 0;
let slowEnded = false;

beforeAll(async () => {
  const graph = restApi({
    "ANY /echo": { integration: lambda("echo") },
    "GET /fail": { integration: lambda("fail") },
    "GET /slow": { integration: lambda("slow", { timeoutMilliseconds: 200 }) },
    "ANY /stream": { integration: lambda("stream", STREAM) },
    "GET /live": { integration: lambda("live", STREAM) },
    "GET /unstreamed": { integration: lambda("echo", STREAM) },
    "GET /big": { integration: lambda("big") },
    "GET /throttled": { integration: lambda("throttled") },
  });
  api = await serve(graph, {
    echo,
    fail: () => {
      failures++;
      return fails("secret detail");
    },
    slow: async () => {
      await wait(1500);
      slowEnded = true;
      return returns({});
    },
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

// only what a request alone cannot show: the other rules are cases in tools/local-cloud/conformance
describe("a Lambda proxy function", () => {
  it("that fails is not called again", async () => {
    expect((await api.call("/t/fail")).status).toBe(502);
    await wait(200);
    expect(failures).toBe(1);
  });

  it("that times out keeps running", async () => {
    expect((await api.call("/t/slow")).status).toBe(504);
    expect(slowEnded).toBe(false);
    await expect.poll(() => slowEnded, { timeout: 5_000 }).toBe(true);
  });

  it("that is throttled is 500", async () => {
    expect((await api.call("/t/throttled")).status).toBe(500);
  });

  it("that returns more than 6 MB is 502", async () => {
    expect((await api.call("/t/big")).status).toBe(502);
  });
});

it("a body over 10 MB whose length is not declared is 413", async () => {
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

describe("a streamed response", () => {
  it("has status, headers and cookies, and may be longer than 6 MB", async () => {
    const response = await fetch(`http://127.0.0.1:${api.port}/t/stream`);
    expect([response.status, response.headers.get("etag")]).toEqual([201, '"1"']);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("x-amzn-remapped-content-length")).toBe("9");
    expect((await response.arrayBuffer()).byteLength).toBe(20 * 1_048_576);
  });

  it("has no body for HEAD", async () => {
    const { status, text, headers } = await api.call("/t/stream", { method: "HEAD" });
    expect([status, text, headers.get("content-type")]).toEqual([201, "", "image/png"]);
  });

  it("is sent while the function writes it, and aborts the function when the client disconnects", async () => {
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

  it("ends with a broken connection when the function fails midway", async () => {
    const response = await fetch(`http://127.0.0.1:${api.port}/t/live`);
    live.write("half");
    live.destroy(new Error("crashed"));
    await expect(response.text()).rejects.toThrow("terminated");
  });

  it("is 502 if the function does not stream", async () => {
    expect((await api.call("/t/unstreamed")).status).toBe(502);
  });

  it("is one log line that names the function", async () => {
    await api.call("/t/stream");
    expect(api.lines.at(-1)).toMatchObject({
      method: "GET",
      path: "/t/stream",
      status: 201,
      function: "stream",
    });
  });
});
