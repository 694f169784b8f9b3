import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { patiently } from "../../test/poll-options.ts";
import { deployTestFunctions, functionArn } from "../../test/functions.ts";
import type { InvokeResult } from "./invoke-result.ts";

let cloud: Awaited<ReturnType<typeof deployTestFunctions>>;

beforeAll(async () => {
  cloud = await deployTestFunctions({
    files: {
      "echo.ts": `export const handler = async (event: unknown, context: any) => ({
        event, id: context.awsRequestId, arn: context.invokedFunctionArn, left: context.getRemainingTimeInMillis(),
        memory: context.memoryLimitInMB, name: context.functionName, trace: process.env._X_AMZN_TRACE_ID, cwd: process.cwd() })`,
      "see.ts": `export const handler = async () => process.env`,
      "nothing.ts": `export const handler = async () => {}`,
      "counted.ts": `let calls = 0;
export const handler = async () => { throw new Error("call " + ++calls); };`,
      "fail.ts": `class ImageMissing extends Error { name = "ImageMissing" }
        export const handler = async () => { throw new ImageMissing("no image a") }`,
      "count.ts": `let calls = 0; export const handler = async () => ++calls`,
      "exit.ts": `export const handler = async ({ code }: any) => process.exit(code)`,
      "spin.ts": `export const handler = async () => { for (;;); }`,
      "grow.ts": `const kept: Buffer[] = []
        export const handler = async ({ mb }: any) => {
          for (let i = 0; i < mb; i += 8) { kept.push(Buffer.alloc(8 << 20, 1)); await new Promise((r) => setTimeout(r, 5)) }
          return kept.length }`,
      "heap.ts": `const kept: number[][] = []
        export const handler = async () => { for (;;) kept.push(Array.from({ length: 100_000 }, Math.random)) }`,
      "fill.ts": `import { appendFile } from "node:fs/promises"
        import { tmpdir } from "node:os"
        export const handler = async ({ mb }: any) => {
          for (let i = 0; i < mb; i += 8) await appendFile(tmpdir() + "/file", Buffer.alloc(8 << 20, 1))
          return tmpdir() }`,
      "start.ts": `import { spawn } from "node:child_process"
        import { once } from "node:events"
        export const handler = async ({ mb }: any) => {
          const script = "const kept = []; for (let i = 0; i < " + mb + "; i += 8) kept.push(Buffer.alloc(8 << 20, 1)); setTimeout(() => {}, 500)"
          const [code] = await once(spawn(process.execPath, ["-e", script]), "exit")
          return code }`,
      "broken.ts": `throw new RangeError("no settings"); export const handler = async () => {}`,
      "quit.ts": `process.exit(3); export const handler = async () => {}`,
      "absent.ts": `export const other = 1`,
      "callback.ts": `export const handler = (event: any, context: any, done: any) => done(null, event.n + 1)`,
      "old.ts": `export const handler = (event: any, context: any, done: any) => setTimeout(() => done(null, event.n + 1), 5)`,
      "big.ts": `export const handler = async ({ bytes }: any) => "x".repeat(bytes)`,
      "circle.ts": `export const handler = async () => { const a: any = {}; a.a = a; return a }`,
      "loose.ts": `export const handler = async () => { Promise.reject(new Error("left alone")); await new Promise((r) => setTimeout(r, 500)) }`,
      "talk.ts": `export const handler = async () => { console.log("seen", { a: 1 }); console.error("two\\nlines"); process.stdout.write("plain\\n") }`,
      "slow.ts": `export const handler = async ({ ms }: any) => { await new Promise((r) => setTimeout(r, ms)); return process.pid }`,
      "one.ts": `export const handler = async ({ ms }: any) => { await new Promise((r) => setTimeout(r, ms)); return process.pid }`,
      "none.ts": `export const handler = async () => 1`,
      "stream.ts": `declare const awslambda: any
        export const handler = awslambda.streamifyResponse(async (event: any, output: any) => {
          if (event.early) throw new Error("before a byte")
          output = awslambda.HttpResponseStream.from(output, { statusCode: 206, headers: { "x-a": "b" } })
          for (const part of event.parts) { output.write(part); await new Promise((r) => setTimeout(r, event.ms ?? 0)) }
          if (event.late) throw new TypeError("in the middle")
          output.end(); await new Promise((r) => output.on("finish", r)) })`,
      "raw.ts": `declare const awslambda: any
        export const handler = awslambda.streamifyResponse(async (event: any, output: any) => {
          output.setContentType("text/plain"); output.write("plain"); output.end() })`,
      "flood.ts": `declare const awslambda: any
        export const handler = awslambda.streamifyResponse(async (event: any, output: any) => {
          output = awslambda.HttpResponseStream.from(output, {})
          for (let i = 0; i < event.mb; i++) if (!output.write(Buffer.alloc(1 << 20, 65))) await new Promise((r) => output.once("drain", r))
          output.end() })`,
    },
    inputs: {
      echo: { memorySize: 256, timeout: 7 },
      see: {
        environment: { variables: { SECRET: "secret://Key", SST_KEY: "k", SST_KEY_FILE: "f" } },
      },
      spin: { timeout: 1 },
      grow: { memorySize: 192, timeout: 20 },
      heap: { memorySize: 128, timeout: 20 },
      fill: { memorySize: 192, timeout: 60, ephemeralStorage: { size: 512 } },
      start: { memorySize: 192, timeout: 20 },
      one: { reservedConcurrentExecutions: 1 },
      none: { reservedConcurrentExecutions: 0 },
      old: { runtime: "nodejs22.x" },
      flood: { memorySize: 160, timeout: 20 },
    },
    sources: { see: { links: { Keys: { cursor: "secret://Key" } } } },
  });
  await cloud.ready;
});

afterAll(() => cloud.remove());

const answer = (result: InvokeResult) => {
  if (result.kind === "ok") return JSON.parse(result.payload.toString());
  throw new Error(`not an answer: ${JSON.stringify(result)}`);
};

const complaint = (result: InvokeResult) => {
  if (result.kind === "error") return { ...result, payload: JSON.parse(result.payload.toString()) };
  throw new Error(`not an error: ${JSON.stringify(result)}`);
};

test("a handler gets its event and a context with the limits of the graph", async () => {
  const said = answer(
    await cloud.call("echo", { a: "ü" }, { traceHeader: "Root=1-2-3;Sampled=1" }),
  );
  expect(said).toMatchObject({
    event: { a: "ü" },
    arn: functionArn("echo"),
    memory: "256",
    name: "echo",
    trace: expect.stringMatching(/^Root=1-2-3;Parent=[0-9a-f]{16};Sampled=1$/),
  });
  expect(said.left).toBeGreaterThan(6000);
  expect(said.left).toBeLessThanOrEqual(7000);
  expect(said.cwd).toBe(`${cloud.folder}/.data/functions/echo`);
  expect(answer(await cloud.call("nothing"))).toBeNull();
});

test("a function sees its own environment and nothing of the developer's", async () => {
  process.env.OF_THE_DEVELOPER = "1";
  const seen = answer(await cloud.call("see"));
  expect(seen).toMatchObject({
    SECRET: "value of Key",
    SST_RESOURCE_Keys: '{"cursor":"value of Key"}',
    SST_RESOURCE_App: '{"name":"test","stage":"laptop"}',
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIA-arn:aws:iam::123456789012:role/see",
    AWS_SESSION_TOKEN: "t",
    AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    _HANDLER: "bundle.handler",
  });
  for (const name of ["OF_THE_DEVELOPER", "HOME", "SST_KEY", "SST_KEY_FILE"])
    expect(seen).not.toHaveProperty(name);
});

test("a handler that throws in a synchronous call is invoked exactly once", async () => {
  expect(complaint(await cloud.call("counted"))).toMatchObject({ errorMessage: "call 1" });
  // long enough for a retry to arrive
  await sleep(100);
  expect(complaint(await cloud.call("counted"))).toMatchObject({ errorMessage: "call 2" });
});

test("a thrown error is returned with its type, message and stack trace", async () => {
  expect(complaint(await cloud.call("fail"))).toMatchObject({
    errorType: "ImageMissing",
    errorMessage: "no image a",
    payload: {
      errorType: "ImageMissing",
      trace: expect.arrayContaining([expect.stringContaining("fail.ts")]),
    },
  });
  expect(cloud.log.lines.join()).toMatch(/error fail [0-9a-f]{8}: ImageMissing: no image a/);
});

test("consecutive calls use the same process, which processes one event at a time", async () => {
  for (const expected of [1, 2, 3]) expect(answer(await cloud.call("count"))).toBe(expected);
  // longer than a process needs to start on a busy machine, or the first one takes both calls
  const [a, b] = await Promise.all([
    cloud.call("slow", { ms: 1_000 }),
    cloud.call("slow", { ms: 1_000 }),
  ]);
  expect(answer(a)).not.toBe(answer(b));
});

test("a process that exits causes Runtime.ExitError, and the next call gets a new process", async () => {
  const id = expect.stringMatching(
    /^RequestId: [\w-]{36} Error: Runtime exited with error: exit status 7$/,
  );
  expect(complaint(await cloud.call("exit", { code: 7 }))).toMatchObject({
    errorType: "Runtime.ExitError",
    errorMessage: id,
  });
  expect(complaint(await cloud.call("exit", { code: 0 })).errorMessage).toMatch(
    /Runtime exited without providing a reason$/,
  );
  expect(complaint(await cloud.call("loose"))).toMatchObject({
    errorType: "Runtime.UnhandledPromiseRejection",
    errorMessage: "Error: left alone",
  });
});

test("a killed process fails its call, and the next call gets a new process", async () => {
  const before = await cloud.call("slow", { ms: 0 });
  const call = cloud.call("slow", { ms: 5_000 });
  await sleep(100);
  expect(cloud.kill(functionArn("slow"))).toBe(1);
  expect(await call).toMatchObject({
    kind: "error",
    errorMessage: expect.stringMatching(/killed$/),
  });
  expect(cloud.kill(functionArn("slow"))).toBe(0);
  expect(await cloud.call("slow", { ms: 0 })).not.toEqual(before);
});

test("a handler in an endless loop is killed at its timeout", async () => {
  const before = performance.now();
  const said = complaint(await cloud.call("spin"));
  expect(said).toMatchObject({ errorType: "Sandbox.Timedout" });
  expect(said.payload.errorMessage).toMatch(
    /^\d{4}-\S+Z [\w-]{36} Task timed out after 1\.00 seconds$/,
  );
  expect(performance.now() - before).toBeLessThan(4000);
});

test("a function over its memory limit is killed, whether the memory is in the heap or outside", async () => {
  expect(answer(await cloud.call("grow", { mb: 32 }))).toBe(4);
  expect(complaint(await cloud.call("grow", { mb: 4000 }))).toMatchObject({
    errorType: "Runtime.OutOfMemory",
    errorMessage: expect.stringMatching(/Runtime exited with error: signal: killed$/),
  });
  expect(complaint(await cloud.call("heap")).errorType).toMatch(
    /^Runtime\.(OutOfMemory|ExitError)$/,
  );
});

test("the memory of processes that a function starts counts, too", async () => {
  expect(answer(await cloud.call("start", { mb: 16 }))).toBe(0);
  expect(complaint(await cloud.call("start", { mb: 300 })).errorType).toBe("Runtime.OutOfMemory");
});

test("a function has a folder of its own for temporary files, and is ended when they need more than its disk", async () => {
  const [one, other] = [answer(await cloud.call("fill", { mb: 8 })), await cloud.call("see", {})];
  expect(answer(other).TMPDIR).not.toBe(one);
  expect(existsSync(join(one, "file"))).toBe(true);
  expect(complaint(await cloud.call("fill", { mb: 4000 })).errorMessage).toMatch(/ENOSPC/);
  await expect.poll(() => existsSync(one), patiently).toBe(false);
});

test("an error before the first event is the result of the call that started the process", async () => {
  expect(complaint(await cloud.call("broken"))).toMatchObject({
    errorType: "RangeError",
    errorMessage: "no settings",
  });
  expect(complaint(await cloud.call("broken"))).toMatchObject({ errorType: "RangeError" });
  expect(complaint(await cloud.call("quit")).errorMessage).toMatch(/exit status 3$/);
  expect(complaint(await cloud.call("absent"))).toMatchObject({
    errorType: "Runtime.HandlerNotFound",
    errorMessage: "bundle.handler is undefined or not exported",
  });
  expect(complaint(await cloud.call("callback"))).toMatchObject({
    errorType: "Runtime.CallbackHandlerDeprecated",
  });
  expect(answer(await cloud.call("old", { n: 1 }))).toBe(2);
});

test("requests and responses over 6 MB are refused", async () => {
  expect(complaint(await cloud.call("echo", "x".repeat(6_291_456))).errorType).toBe(
    "RequestTooLarge",
  );
  expect(answer(await cloud.call("big", { bytes: 6_291_554 }))).toHaveLength(6_291_554);
  expect(complaint(await cloud.call("big", { bytes: 6_291_555 }))).toMatchObject({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
  });
  expect(complaint(await cloud.call("circle")).errorType).toBe("Runtime.JSONStringifyError");
});

test("reserved concurrency refuses a call beyond it; without it a call waits", async () => {
  const [first, second] = await Promise.all([
    cloud.call("one", { ms: 200 }),
    cloud.call("one", { ms: 200 }),
  ]);
  expect([first.kind, second.kind]).toEqual(["ok", "throttled"]);
  const busy = cloud.call("one", { ms: 300 });
  await sleep(100);
  expect((await cloud.call("one", { ms: 0 })).kind).toBe("throttled");
  await busy;
  for (let i = 0; i < 3; i++) expect((await cloud.call("one", { ms: 0 })).kind).toBe("ok");
  expect((await cloud.call("none")).kind).toBe("throttled");
  const many = await Promise.all(Array.from({ length: 20 }, () => cloud.call("slow", { ms: 5 })));
  expect(many.every(({ kind }) => kind === "ok")).toBe(true);
});

test("a streamed response has its metadata first, then the bytes as they are written", async () => {
  const result = await cloud.call(
    "stream",
    { parts: ["one ", "two ", "three"], ms: 150 },
    { stream: true },
  );
  if (result.kind !== "stream") throw new Error(JSON.stringify(result));
  expect(result.prelude).toEqual({ statusCode: 206, headers: { "x-a": "b" } });
  const seen: [string, number][] = [];
  for await (const chunk of result.body) seen.push([String(chunk), performance.now()]);
  expect(seen.map(([part]) => part).join("")).toBe("one two three");
  expect(seen.at(-1)![1] - seen[0]![1]).toBeGreaterThan(200);
});

test("a stream without metadata is a body only; a caller that does not stream gets all bytes", async () => {
  const result = await cloud.call("raw", {}, { stream: true });
  if (result.kind !== "stream") throw new Error(JSON.stringify(result));
  expect([result.prelude, await text(result.body)]).toEqual([{}, "plain"]);
  const buffered = await cloud.call("stream", { parts: ["a"] });
  expect(buffered).toMatchObject({ kind: "ok" });
  expect(buffered.kind === "ok" && buffered.payload.toString()).toMatch(
    /^\{"statusCode":206.*\0{8}a$/,
  );
});

test("an error before the first byte is the result of the call; after it the stream is destroyed", async () => {
  expect(
    complaint(await cloud.call("stream", { early: true }, { stream: true })).errorMessage,
  ).toBe("before a byte");
  const result = await cloud.call(
    "stream",
    { parts: ["half"], ms: 20, late: true },
    { stream: true },
  );
  if (result.kind !== "stream") throw new Error(JSON.stringify(result));
  await expect(text(result.body)).rejects.toThrow("TypeError: in the middle");
  expect(answer(await cloud.call("count"))).toBeGreaterThan(0);
});

test("a function of little memory streams 20 MB, and survives a reader that disconnects", async () => {
  const whole = await cloud.call("flood", { mb: 20 }, { stream: true });
  if (whole.kind !== "stream") throw new Error(JSON.stringify(whole));
  expect((await text(whole.body)).length).toBe(20 << 20);
  const left = new AbortController();
  const half = await cloud.call("flood", { mb: 20 }, { stream: true, signal: left.signal });
  if (half.kind !== "stream") throw new Error(JSON.stringify(half));
  await new Promise((resolve) => half.body.once("data", resolve));
  left.abort();
  expect(half.body.destroyed).toBe(true);
  const again = await cloud.call("flood", { mb: 1 }, { stream: true });
  expect(again.kind === "stream" && (await text(again.body)).length).toBe(1 << 20);
});

test("an aborted call rejects at once", async () => {
  const left = new AbortController();
  const call = cloud.call("slow", { ms: 2000 }, { signal: left.signal });
  await sleep(20);
  left.abort(new Error("gone"));
  await expect(call).rejects.toThrow("gone");
});

test("output of a function is logged with its name and request id", async () => {
  await cloud.call("talk", {}, { requestId: "abcdef12-1" });
  const { lines } = cloud.log;
  await expect.poll(() => lines.join("|"), patiently).toContain("plain");
  expect(lines).toContain("info talk abcdef12: seen { a: 1 }");
  expect(lines).toContain("error talk abcdef12: two\nlines");
});
