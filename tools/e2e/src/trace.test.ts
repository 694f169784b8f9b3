import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { loadGraph, showTrace } from "@balde/local-cloud";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { type Stage, runStartCommand, startLocalCloud } from "./stage.ts";
import { sampleJpeg } from "./sample-image.ts";
import { type Image, type User, signIn } from "./api-calls.ts";

vi.setConfig({ testTimeout: 120_000 });

const data = mkdtempSync(join(tmpdir(), "balde-trace-"));
let running: Stage;
let user: User;

beforeAll(async () => {
  running = await startLocalCloud(data);
  user = await signIn(running.local, 0);
});
afterAll(async () => {
  await running.stop();
  rmSync(data, { recursive: true, force: true });
});

const pollOptions = { timeout: 60_000, interval: 100 };

const graph = loadGraph(resolve(import.meta.dirname, "../../../infra/stack.json"));
/** The text that `pnpm start --trace` prints. */
const traceText = (id: string) => showTrace({ data, graph, id }) ?? "";
const runTrace = (id: string) => runStartCommand("--data", data, "--trace", id);
const requestIdOf = (answer: Response) => answer.headers.get("x-amzn-requestid")!;
/** The lines of a trace without times and bars. */
const labels = (text: string) =>
  text.split("\n").flatMap((line) => /^ *[\d.]+ +[\d.]+ [ █]+(.*)$/.exec(line)?.[1] ?? []);

test("the trace of an upload contains the gateway, the functions and everything that ingest calls", async () => {
  const sent = await user.send("POST", "/v1/images?title=Traced", await sampleJpeg(400, 300, 7), {
    "content-type": "image/jpeg",
  });
  expect(sent.status).toBe(202);
  const { id } = (await sent.json()) as Image;
  const uploadTrace = () => labels(traceText(requestIdOf(sent)));
  await expect
    .poll(uploadTrace, pollOptions)
    .toContainEqual(expect.stringMatching(/^S3 DeleteObject .*uploads/));
  const lines = uploadTrace();
  for (const line of [
    /^DynamoDB TransactWriteItems .* 200$/,
    new RegExp(`^S3 PutObject .*/uploads/${id} 200$`),
    // the bucket's event passes its trace on through the queue
    /^Lambda IngestHandler /,
    // the first 64 KiB, which is the whole file
    new RegExp(`^S3 GetObject .*/uploads/${id} 206$`),
  ])
    expect(lines).toContainEqual(expect.stringMatching(line));

  // each call is indented below its caller, after times and bar
  const firstLines = traceText(requestIdOf(sent)).split("\n").slice(2, 5);
  expect(firstLines.map((line) => line.slice(51))).toEqual([
    `API Gateway POST ${new URL(running.local.api).pathname}/v1/images 202`,
    "  Lambda Invoke ApiHandler 200",
    expect.stringMatching(/^ {4}Lambda ApiHandler [\w-]{36} 200$/),
  ]);

  // ingest erases it because of an event of the table's stream, which carries no trace
  const removed = await user.send("DELETE", `/v1/images/${id}`);
  await expect
    .poll(() => labels(traceText(requestIdOf(removed))), pollOptions)
    .toContainEqual(expect.stringMatching(/^DynamoDB TransactWriteItems .* 200$/));
});

test("the trace of a route without a function contains the call of S3 only", async () => {
  const answer = await fetch(`${running.local.api}/s3?image=pier.jpg`);
  await answer.arrayBuffer();
  await expect
    .poll(() => labels(traceText(requestIdOf(answer))).slice(1), pollOptions)
    .toEqual([expect.stringMatching(/^S3 GetObject .*\/images\/pier\.jpg 200$/)]);
});

test("a line of the log names the function, for streams and errors too, and marks a cold start", async () => {
  const list = (await (await fetch(`${running.local.api}/v1/images`)).json()) as { items: Image[] };
  const { id } = list.items[0]!;
  const delivered = await fetch(`${running.local.api}/i/${id}?w=50`);
  await delivered.arrayBuffer();
  const refused = await fetch(`${running.local.api}/i/${id}?w=none`);
  const line = (answer: Response) => () =>
    running
      .stderr()
      .split("\n")
      .find((text) => text.endsWith(requestIdOf(answer)));
  await expect.poll(line(delivered), pollOptions).toMatch(/ 200 [\d.]+ ms Deliver \(cold\) /);
  await expect.poll(line(refused), pollOptions).toMatch(/ 400 [\d.]+ ms Deliver /);
});

test("a trace can be printed after the cloud has stopped, and an unknown id is an error of one line", async () => {
  const answer = await fetch(`${running.local.api}/health`);
  await running.stop();
  const shown = await runTrace(requestIdOf(answer));
  expect(shown.code).toBe(0);
  expect(labels(shown.text)).toEqual([expect.stringMatching(/^API Gateway GET .*\/health 200$/)]);

  const unknown = await runTrace("00000000-0000-4000-8000-000000000000");
  expect(unknown.code).toBe(1);
  expect(unknown.text.trim().split("\n")).toEqual([
    expect.stringMatching(/^There is no trace of a request 00000000-/),
  ]);
});
