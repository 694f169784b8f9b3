import { afterAll, beforeAll, expect, test } from "vitest";

import { deployed, functionArn } from "../../test/functions.ts";
import { patiently } from "../../test/poll-options.ts";
import { type Node, findTrace } from "./find-trace.ts";
import * as TraceHeader from "./trace-header.ts";
import type { Segment } from "./segment.ts";
import { type Traces, openTraces } from "./trace-store.ts";

let cloud: Awaited<ReturnType<typeof deployed>>;
let traces: Traces;

const active = { tracingConfig: { mode: "Active" } };

beforeAll(async () => {
  cloud = await deployed({
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
      tell: active,
      fail: active,
      stream: active,
      none: { ...active, reservedConcurrentExecutions: 0 },
    },
    traces: (folder) => (traces = openTraces(folder, () => {})),
  });
});
afterAll(async () => {
  traces.stop();
  await cloud.remove();
});

/** A header as a caller sends it, and what came of its trace. */
function caller(isSampled = true) {
  const [root, parent] = [TraceHeader.newRoot(), TraceHeader.newId()];
  return {
    root,
    traceHeader: TraceHeader.format(root, parent, isSampled),
    async segments() {
      await expect.poll(() => findTrace(cloud.folder, root)?.roots.length, patiently).toBe(1);
      const [service] = findTrace(cloud.folder, root)!.roots as [Node];
      const segment = service.part as Segment;
      expect(segment).toMatchObject({ origin: "AWS::Lambda", parent_id: parent });
      return { service: segment, inside: service.children[0] };
    },
  };
}

const names = (node: Node | undefined) => node?.children.map(({ part }) => part.name);

test("an invocation is two segments, and the first of a process shows its cold start", async () => {
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
  expect(inside?.part).toMatchObject({ origin: "AWS::Lambda::Function", parent_id: service.id });
  expect(names(inside)).toEqual(["Initialization", "Invocation"]);
  const [init, invoke] = inside!.children.map(({ part }) => part);
  expect(init!.end_time).toBeGreaterThan(init!.start_time);
  expect(invoke!.start_time).toBeGreaterThanOrEqual(init!.end_time);
  expect(service.end_time).toBeGreaterThanOrEqual(invoke!.end_time);
  expect(findTrace(cloud.folder, "r-1")?.id).toBe(first.root);

  // what the function calls goes below its own segment
  if (told.kind !== "ok") throw new Error(told.kind);
  const header = TraceHeader.parse(JSON.parse(told.payload.toString()));
  expect(header).toMatchObject({ root: first.root, parent: inside!.part.id, isSampled: true });

  const second = caller();
  await cloud.call("tell", {}, second);
  expect(names((await second.segments()).inside)).toEqual(["Invocation"]);
});

test("an error of the handler is a fault with its type and message", async () => {
  const call = caller();
  await cloud.call("fail", {}, call);
  const { service, inside } = await call.segments();
  expect(service.fault).toBe(true);
  expect(inside?.part).toMatchObject({
    fault: true,
    cause: { exceptions: [{ type: "RangeError", message: "no such size" }] },
  });
});

test("a function that may not run is throttled, and nothing ran", async () => {
  const call = caller();
  await cloud.call("none", {}, call);
  const { service, inside } = await call.segments();
  expect(service).toMatchObject({ throttle: true, http: { response: { status: 429 } } });
  expect(inside).toBeUndefined();
});

test("a streamed answer ends with its last byte", async () => {
  const call = caller();
  const result = await cloud.call("stream", {}, { ...call, stream: true });
  if (result.kind !== "stream") throw new Error(result.kind);
  result.body.resume();
  const { service } = await call.segments();
  expect(service.end_time - service.start_time).toBeGreaterThanOrEqual(0.15);
});

test("whoever calls decides what is traced; where nobody has, an active function does", async () => {
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

test("beyond a hundred a second, only a share of the requests is traced", () => {
  const asked = Array.from({ length: 5_000 }, () => traces.sample());
  const taken = asked.filter(Boolean).length;
  expect(asked.slice(0, 50).every(Boolean)).toBe(true);
  expect(taken).toBeGreaterThan(100);
  expect(taken).toBeLessThan(1_000);
});
