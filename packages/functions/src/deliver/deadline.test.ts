import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

import * as Bucket from "@balde/core/bucket";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import { prepare } from "@balde/imaging/prepare";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { pendingImage } from "../../../core/test/samples.ts";
import { workerProcesses } from "../../../imaging/test/worker-processes.ts";
import * as Deadline from "./deadline.ts";
import * as GrowingFile from "./growing-file.ts";
import { findings } from "../ingest/findings.ts";

// A function with six seconds, of which a render may take three: noise of eight megapixels, blurred, sharpened and encoded as
// AVIF of the highest quality takes six, and only the end of its process stops it.

const FUNCTION_SECONDS = 6;
const ENDLESS = "f=avif&q=100&blur=100&sharpen=10";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let imageUrl: string;
beforeAll(async () => {
  cloud = await startCloud((graph) => ({
    ...graph,
    resources: graph.resources.map((resource) =>
      resource.type === "aws:lambda/function:Function" && resource.name === "DeliverFunction"
        ? { ...resource, inputs: { ...resource.inputs, timeout: FUNCTION_SECONDS } }
        : resource,
    ),
  }));
  const noise = { width: 1414, height: 1414, channels: 3 as const };
  const bytes = await sharp(randomBytes(1414 * 1414 * 3), { raw: noise })
    .resize(2828, 2828)
    .jpeg({ quality: 80 })
    .toBuffer();
  const whole = { ...noise, width: 2828, height: 2828, contentType: "image/jpeg", data: bytes };
  const prepared = { ...(await prepare(bytes, { namedCopy: false })), rungs: [whole] };
  const { id } = await pendingImage();
  const event = { id, sequencer: "01" };
  const image = (await Ingest.startProcessing(event))!;
  await Bucket.put(ObjectKey.original(id, prepared.rev), bytes, { type: "image/jpeg" });
  const { width, height } = whole;
  const rung = { width, height, type: "image/jpeg" as const };
  await Bucket.put(ObjectKey.rung(id, prepared.rev, rung), bytes, { type: rung.type });
  await Ingest.markReady(event, image, findings(bytes.length, prepared));
  imageUrl = `${cloud.api}/i/${id}/${prepared.rev}`;
});
afterAll(() => cloud.stop());

/** The ids of the processes that run the function. */
const processes = () =>
  execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(cloud.data) && line.includes("Deliver"))
    .map((line) => Number(line.trim().split(" ")[0]));

let width = 30;
/** The status of a small image that was not rendered before; on a busy machine it may take too long, too. */
const smallImage = async () => (await fetch(`${imageUrl}?w=${++width}&f=jpeg`)).status;

test("a render that takes too long is refused in time, and its process ends", async () => {
  // starts the process, so that the start is not measured
  await expect.poll(smallImage, { timeout: 20_000 }).toBe(200);
  const [before] = processes();
  expect(before).toBeDefined();

  const start = performance.now();
  const response = await fetch(`${imageUrl}?${ENDLESS}`);
  const ms = performance.now() - start;
  expect([response.status, await response.json()]).toMatchObject([
    422,
    { code: "image.too_complex", requestId: expect.any(String) },
  ]);
  // the function was not stopped by its own timeout, after which the gateway would respond with 502 or 504
  expect(ms).toBeLessThan(FUNCTION_SECONDS * 1000);
  await expect.poll(processes).not.toContain(before);

  // the next request gets a new process
  await expect.poll(smallImage, { timeout: 20_000 }).toBe(200);
});

test("a render from the original that takes too long is refused in time, and only its worker process ends", async () => {
  await expect.poll(smallImage, { timeout: 20_000 }).toBe(200);
  const [running] = processes();
  // of `trim` only the original knows the border
  const start = performance.now();
  const response = await fetch(`${imageUrl}?${ENDLESS}&trim=1`);
  expect([response.status, await response.json()]).toMatchObject([
    422,
    { code: "image.too_complex" },
  ]);
  expect(performance.now() - start).toBeLessThan(FUNCTION_SECONDS * 1000);
  expect(workerProcesses(running)).toEqual([]);
  expect(processes()).toContain(running);
  // the next request gets another one
  const trimmed = async () => (await fetch(`${imageUrl}?w=${++width}&trim=1&f=jpeg`)).status;
  await expect.poll(trimmed, { timeout: 20_000 }).toBe(200);
  expect(processes()).toContain(running);
});

test("a body whose render is given up after its first bytes fails at the deadline", async () => {
  const late = Promise.withResolvers<void>();
  const write = async (file: string) => {
    await writeFile(file, "the first bytes");
    await late.promise;
  };
  const deadline = performance.now() + 2000;
  const growing = await GrowingFile.create((file) => Deadline.before(deadline, write(file)));
  await expect(text(growing.read())).rejects.toMatchObject({ code: "image.too_complex" });
  late.resolve();
});

test("work that ends before the deadline has its result, or its error", async () => {
  const soon = performance.now() + 10_000;
  expect(await Deadline.before(soon, Promise.resolve(7))).toBe(7);
  await expect(Deadline.before(soon, Promise.reject(new Error("no")))).rejects.toThrow("no");
});
