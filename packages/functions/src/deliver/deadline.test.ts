import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import * as Bucket from "@balde/core/bucket";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import { prepare } from "@balde/imaging/prepare";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { pendingImage } from "../../../core/test/samples.ts";
import * as Deadline from "./deadline.ts";
import * as GrowingFile from "./growing-file.ts";
import { findings } from "../ingest/findings.ts";

// A function with five seconds, of which a picture may have two: noise of eight megapixels, blurred, sharpened and
// encoded as AVIF of the highest quality takes six, and nothing but the end of its process stops it.

const SECONDS = 5;

let cloud: Awaited<ReturnType<typeof startCloud>>;
let picture: string;
beforeAll(async () => {
  cloud = await startCloud((graph) => ({
    ...graph,
    resources: graph.resources.map((resource) =>
      resource.type === "aws:lambda/function:Function" && resource.name === "DeliverFunction"
        ? { ...resource, inputs: { ...resource.inputs, timeout: SECONDS } }
        : resource,
    ),
  }));
  const noise = { width: 1414, height: 1414, channels: 3 as const };
  const bytes = await sharp(randomBytes(1414 * 1414 * 3), { raw: noise })
    .resize(2828, 2828)
    .jpeg({ quality: 80 })
    .toBuffer();
  const prepared = { ...(await prepare(bytes, { publish: false })), rungs: [] };
  const { id } = await pendingImage();
  const event = { id, sequencer: "01" };
  const image = (await Ingest.startProcessing(event))!;
  await Bucket.put(ObjectKey.original(id, prepared.rev), bytes, { type: "image/jpeg" });
  await Ingest.markReady(event, image, findings(bytes.length, prepared));
  picture = `${cloud.api}/i/${id}/${prepared.rev}`;
});
afterAll(() => cloud.stop());

/** The processes that the cloud keeps for deliveries. */
const processes = () =>
  execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(cloud.data) && line.includes("Deliver"))
    .map((line) => Number(line.trim().split(" ")[0]));

let width = 30;
/** A picture that nobody has asked for before: on a busy machine it may take too long, too. */
const small = async () => (await fetch(`${picture}?w=${++width}&f=jpeg`)).status;

test("a picture that takes too long is refused in time, and its processor is free", async () => {
  // the process is there, so that its start is in no time that is measured
  await expect.poll(small, { timeout: 20_000 }).toBe(200);
  const [before] = processes();
  expect(before).toBeDefined();

  const start = performance.now();
  const answer = await fetch(`${picture}?f=avif&q=100&blur=100&sharpen=10`);
  const took = performance.now() - start;
  expect([answer.status, await answer.json()]).toMatchObject([
    422,
    { code: "image.too_complex", requestId: expect.any(String) },
  ]);
  // the function itself was not stopped: its own limit would have been answered with 502 or 504
  expect(took).toBeLessThan(SECONDS * 1000);
  await sleep(500);
  expect(processes()).not.toContain(before);

  // the next one meets a new process
  await expect.poll(small, { timeout: 20_000 }).toBe(200);
});

test("what is given up after its first bytes have left breaks off then", async () => {
  const slow = async (file: string) => {
    await writeFile(file, "the first bytes");
    await sleep(5000);
  };
  const deadline = performance.now() + 300;
  const growing = await GrowingFile.create((file) => Deadline.before(deadline, slow(file)));
  await expect(text(growing.read())).rejects.toMatchObject({ code: "image.too_complex" });
  expect(performance.now() - deadline).toBeLessThan(2000);
});

test("what is made in time is what it is, and so is its failure", async () => {
  const soon = performance.now() + 10_000;
  expect(await Deadline.before(soon, Promise.resolve(7))).toBe(7);
  await expect(Deadline.before(soon, Promise.reject(new Error("no")))).rejects.toThrow("no");
});
