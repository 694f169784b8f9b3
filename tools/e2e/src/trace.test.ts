import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { type Stage, runStartCommand, startLocalCloud } from "./stage.ts";
import { sampleJpeg } from "./sample-image.ts";
import { type Image, type User, signIn } from "./api-calls.ts";

vi.setConfig({ testTimeout: 120_000 });

const data = mkdtempSync(join(tmpdir(), "balde-trace-"));
let running: Stage;
let person: User;

beforeAll(async () => {
  running = await startLocalCloud(data);
  person = await signIn(running.local, 0);
});
afterAll(async () => {
  await running.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Each look starts a process, on a machine that may be busy. */
const patiently = { timeout: 60_000, interval: 500 };

/** `pnpm start --trace`, in a process of its own. */
const trace = (id: string) => runStartCommand("--data", data, "--trace", id);
const idOf = (answer: Response) => answer.headers.get("x-amzn-requestid")!;
/** What a line is of, without its times and its bar. */
const labels = (text: string) =>
  text.split("\n").flatMap((line) => /^ *[\d.]+ +[\d.]+ [ █]+(.*)$/.exec(line)?.[1] ?? []);

test("the trace of an upload goes from the gateway to everything that its picture set off", async () => {
  const sent = await person.send("POST", "/v1/images?title=Traced", await sampleJpeg(400, 300, 7), {
    "content-type": "image/jpeg",
  });
  expect(sent.status).toBe(202);
  const { id } = (await sent.json()) as Image;
  const uploaded = async () => labels((await trace(idOf(sent))).text);
  await expect
    .poll(uploaded, patiently)
    .toContainEqual(expect.stringMatching(/^S3 DeleteObject .*uploads/));
  const told = await uploaded();
  for (const line of [
    /^DynamoDB PutItem .* 200$/,
    new RegExp(`^S3 PutObject .*/uploads/${id} 200$`),
    // the bucket's event went through a queue, which hands on whose it is
    /^Lambda IngestHandler /,
    // its first 64 KB, which are all of it
    new RegExp(`^S3 GetObject .*/uploads/${id} 206$`),
  ])
    expect(told).toContainEqual(expect.stringMatching(line));

  // each below the one that called it, behind times and bar
  const lines = (await trace(idOf(sent))).text.split("\n").slice(2, 5);
  expect(lines.map((line) => line.slice(51))).toEqual([
    `API Gateway POST ${new URL(running.local.api).pathname}/v1/images 202`,
    "  Lambda Invoke ApiHandler 200",
    expect.stringMatching(/^ {4}Lambda ApiHandler [\w-]{36} 200$/),
  ]);

  const removed = await person.send("DELETE", `/v1/images/${id}`);
  await expect
    .poll(async () => labels((await trace(idOf(removed))).text), patiently)
    .toContainEqual(expect.stringMatching(/^function IngestHandler/));
});

test("a route without a function shows the bucket's answer, and S3 alone is asked", async () => {
  const answer = await fetch(`${running.local.api}/s3?image=pier.jpg`);
  await answer.arrayBuffer();
  await expect
    .poll(async () => labels((await trace(idOf(answer))).text).slice(1), patiently)
    .toEqual([expect.stringMatching(/^S3 GetObject .*\/images\/pier\.jpg 200$/)]);
});

test("a line of the log names the function, also of a stream and of an error, and marks a cold start", async () => {
  const list = (await (await fetch(`${running.local.api}/v1/images`)).json()) as { items: Image[] };
  const { id } = list.items[0]!;
  const delivered = await fetch(`${running.local.api}/i/${id}?w=50`);
  await delivered.arrayBuffer();
  const refused = await fetch(`${running.local.api}/i/${id}?w=none`);
  const line = (answer: Response) => () =>
    running
      .stderr()
      .split("\n")
      .find((text) => text.endsWith(idOf(answer)));
  await expect.poll(line(delivered), patiently).toMatch(/ 200 [\d.]+ ms Deliver \(cold\) /);
  await expect.poll(line(refused), patiently).toMatch(/ 400 [\d.]+ ms Deliver /);
});

test("a trace outlives the cloud; an id that nobody knows is one sentence", async () => {
  const answer = await fetch(`${running.local.api}/health`);
  await running.stop();
  const told = await trace(idOf(answer));
  expect(told.code).toBe(0);
  expect(labels(told.text)).toEqual([expect.stringMatching(/^API Gateway GET .*\/health 200$/)]);

  const unknown = await trace("00000000-0000-4000-8000-000000000000");
  expect(unknown.code).toBe(1);
  expect(unknown.text.trim().split("\n")).toEqual([
    expect.stringMatching(/^Nothing is known of a request 00000000-/),
  ]);
});
