import { afterAll, beforeAll, expect, test } from "vitest";

import { deployTestFunctions, functionArn } from "../../test/functions.ts";
import { patiently } from "../../test/poll-options.ts";
import { type TraceNode, findTrace } from "./find-trace.ts";
import * as TraceHeader from "./trace-header.ts";
import type { Segment } from "./segment.ts";
import { type TraceStore, openTraceStore } from "./trace-store.ts";

let cloud: Awaited<ReturnType<typeof deployTestFunctions>>;
let traces: TraceStore;

const activeTracing = { tracingConfig: { mode: "Active" } };

beforeAll(async () => {
  cloud = await deployTestFunctions({
    files: {
      "tell.ts": `export const handler = async () => process.env._X_AMZN_TRACE_ID`,
      "fail.ts": `export const handler = async () => { throw new RangeError("no such size") }`,
      "none.ts": `export const handler = async () => 1`,
      "follow.ts": `export const handler = async () => 1`,
      "stream.ts": `declare const awslambda: any
        export const handler = awslambda.streamifyResponse(async (event: any, output: any) => {
          output = awslambda.HttpResponseStream.from(output, {})
          output.write("first"); await new Promise((r) => setTimeout(r, 150)); output.end("last") })`,
    },
    inputs: {
      tell: activeTracing,
      fail: activeTracing,
      stream: activeTracing,
      none: { ...activeTracing, reservedConcurrentExecutions: 0 },
    },
    traces: (folder) => (traces = openTraceStore(folder, () => {})),
  });
});
afterAll(async () => {
  traces.stop();
  await cloud.remove();
});

/** A trace header of a caller, and the segments that were recorded for it. */
function caller(isSampled = true) {
  const [root, parent] = [TraceHeader.newRoot(), TraceHeader.newId()];
  return {
    root,
    traceHeader: TraceHeader.format(root, parent, isSampled),
    async segments() {
      await expect.poll(() => findTrace(cloud.folder, root)?.roots.length, patiently).toBe(1);
      const [service] = findTrace(cloud.folder, root)!.roots as [TraceNode];
      const segment = service.segment as Segment;
      expect(segment).toMatchObject({ origin: "AWS::Lambda", parent_id: parent });
      return { service: segment, inside: service.children[0] };
    },
  };
}

const names = (node: TraceNode | undefined) => node?.children.map(({ segment: part }) => part.name);

test("an invocation records two segments, and the first one of a process contains its cold start", async () => {
  const first = caller();
  let isCold = false;
  const onColdStart = () => void (isCold = true);
  const told = await cloud.call("tell", {}, { ...first, requestId: "r-1", onColdStart });
  const { service, inside } = await first.segments();
  expect(isCold).toBe(true);
  expect(service).toMatchObject({
    name: "tell",
    resource_arn: functionArn("tell"),
    aws: { request_id: "r-1" },
    http: { response: { status: 200 } },
  });
  expect(inside?.segment).toMatchObject({ origin: "AWS::Lambda::Function", parent_id: service.id });
  expect(names(inside)).toEqual(["Initialization", "Invocation"]);
  const [init, invoke] = inside!.children.map(({ segment: part }) => part);
  expect(init!.end_time).toBeGreaterThan(init!.start_time);
  expect(invoke!.start_time).toBeGreaterThanOrEqual(init!.end_time);
  expect(service.end_time).toBeGreaterThanOrEqual(invoke!.end_time);
  expect(findTrace(cloud.folder, "r-1")?.id).toBe(first.root);

  // calls of the function are children of its segment
  if (told.kind !== "ok") throw new Error(told.kind);
  const header = TraceHeader.parse(JSON.parse(told.payload.toString()));
  expect(header).toMatchObject({ root: first.root, parent: inside!.segment.id, isSampled: true });

  const second = caller();
  await cloud.call("tell", {}, second);
  expect(names((await second.segments()).inside)).toEqual(["Invocation"]);
});

test("an error of the handler is recorded as a fault with its type and message", async () => {
  const call = caller();
  await cloud.call("fail", {}, call);
  const { service, inside } = await call.segments();
  expect(service.fault).toBe(true);
  expect(inside?.segment).toMatchObject({
    fault: true,
    cause: { exceptions: [{ type: "RangeError", message: "no such size" }] },
  });
});

test("a function without concurrency is recorded as throttled, without a run", async () => {
  const call = caller();
  await cloud.call("none", {}, call);
  const { service, inside } = await call.segments();
  expect(service).toMatchObject({ throttle: true, http: { response: { status: 429 } } });
  expect(inside).toBeUndefined();
});

test("the segment of a streamed response ends with its last byte", async () => {
  const call = caller();
  const result = await cloud.call("stream", {}, { ...call, stream: true });
  if (result.kind !== "stream") throw new Error(result.kind);
  result.body.resume();
  const { service } = await call.segments();
  expect(service.end_time - service.start_time).toBeGreaterThanOrEqual(0.15);
});

test("the caller decides what is traced; without a decision, a function with active tracing does", async () => {
  const left = caller(false);
  await cloud.call("tell", {}, left);
  await cloud.call("follow", {}, { requestId: "r-follow" });
  const taken = caller();
  await cloud.call("follow", {}, taken);
  await taken.segments();
  await cloud.call("tell", {}, { requestId: "r-own" });
  await expect.poll(() => findTrace(cloud.folder, "r-own")?.roots.length, patiently).toBe(1);
  expect(findTrace(cloud.folder, left.root)).toBeUndefined();
  expect(findTrace(cloud.folder, "r-follow")).toBeUndefined();
});

test("after a hundred requests in a second, a share of the others is traced", () => {
  const asked = Array.from({ length: 5_000 }, () => traces.sample());
  const taken = asked.filter(Boolean).length;
  expect(asked.slice(0, 50).every(Boolean)).toBe(true);
  expect(taken).toBeGreaterThan(100);
  expect(taken).toBeLessThan(1_000);
});
