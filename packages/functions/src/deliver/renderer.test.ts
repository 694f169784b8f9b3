import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";

import * as RenderLease from "@balde/core/render-lease";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { gif, photo } from "../../../imaging/test/samples.ts";
import {
  harmlessVariable,
  variablesOf,
  workerPid,
  workerProcesses,
} from "../../../imaging/test/worker-processes.ts";
import { withS3Proxy } from "../../test/s3-proxy.ts";
import { deliveryRequest, readyImage, served } from "../../test/samples.ts";
import * as Deadline from "./deadline.ts";
import * as Delivery from "./delivery.ts";
import * as ImageCache from "./image-cache.ts";
import { serveImage } from "./serve-image.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
/** Has two rungs. */
let image: Awaited<ReturnType<typeof readyImage>>;
beforeAll(async () => {
  cloud = await startCloud();
  image = await readyImage(await photo(1400, 900).jpeg().toBuffer());
});
afterAll(() => cloud.stop());
afterEach(async () => {
  for (const pid of workerProcesses()) process.kill(pid, "SIGKILL");
  await vi.waitUntil(() => workerProcesses().length === 0);
});

let width = 1100;
/** A picture that was not rendered before, wider than the rungs. */
const fromOriginal = (query = "f=jpeg") => served(deliveryRequest(image, `w=${++width}&${query}`));

/** In nanoseconds, of the process's main thread; a process that has nothing to do uses none. */
const cpuTime = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);

const temporaryFolders = async () =>
  (await readdir(tmpdir())).filter((name) => name.startsWith(`balde-${process.pid}-`));

test("an original is decoded in a process without the function's variables, a rung in no other process", async () => {
  await served(deliveryRequest(image, "w=300"));
  expect(workerProcesses()).toEqual([]);
  const { status, headers } = await fromOriginal();
  expect([status, headers["Content-Type"]]).toEqual([200, "image/jpeg"]);
  expect(Object.keys(process.env)).toContain("AWS_SECRET_ACCESS_KEY");
  const [pid] = workerProcesses();
  expect(variablesOf(pid!).filter((name) => !harmlessVariable.test(name))).toEqual([]);
  // it is kept for the next original
  await fromOriginal("f=webp");
  expect(workerProcesses()).toEqual([pid]);
  expect(await temporaryFolders()).toEqual([]);
});

test.each([
  ["trim", "trim=10&w=50"],
  ["an animation", "w=40", { animated: true }],
  ["a lossless picture", "w=300&f=png"],
  ["a picture that is sent while it is rendered", "w=2400&up=1&f=png"],
])("the worker process renders %s", async (_, query, { animated } = { animated: false }) => {
  const bytes = animated
    ? await gif(60, 40, ["red", "lime", "blue"])
    : await photo(1400, 900).png().toBuffer();
  const { status } = await served(deliveryRequest(await readyImage(bytes), query));
  expect(status).toBe(200);
  expect(await temporaryFolders()).toEqual([]);
  const pid = await workerPid();
  const before = cpuTime(pid);
  await served(deliveryRequest(await readyImage(bytes), query));
  expect(cpuTime(pid)).toBeGreaterThan(before);
});

test("when the worker process is killed, another one renders", async () => {
  await fromOriginal();
  const pid = await workerPid();
  // it does not begin before it ends
  process.kill(pid, "SIGSTOP");
  const response = fromOriginal();
  await expect.poll(temporaryFolders).not.toEqual([]);
  process.kill(pid, "SIGKILL");
  expect((await response).status).toBe(200);
  expect(workerProcesses()).not.toContain(pid);
  expect(await temporaryFolders()).toEqual([]);
});

test("when the worker process hangs, the image is refused at the deadline, and the next one is rendered by another", async () => {
  await fromOriginal();
  const pid = await workerPid();
  process.kill(pid, "SIGSTOP");
  const request = deliveryRequest(image, "w=1001&crop=0,0,1200,800&f=jpeg");
  await expect(serveImage(request, performance.now() + 3000)).rejects.toMatchObject({
    name: "Refusal",
    code: "image.too_complex",
    detail: expect.stringContaining("ask for a smaller w or h"),
  });
  await expect.poll(() => workerProcesses()).not.toContain(pid);
  // this process goes on: it runs nothing that must be stopped
  await Deadline.endProcessIfBusy();
  expect((await fromOriginal()).status).toBe(200);
  expect(await temporaryFolders()).toEqual([]);
});

test("an original that is not read at the deadline can be requested again", async () => {
  const request = deliveryRequest(image, "w=1002&crop=0,0,1200,800&f=jpeg");
  await expect(serveImage(request, performance.now())).rejects.toMatchObject({
    name: "TimeoutError",
  });
  expect(await temporaryFolders()).toEqual([]);
  expect((await served(request)).status).toBe(200);
});

test("an original is not read to its end while another process has the lease", async () => {
  const request = deliveryRequest(image, "w=1003&crop=0,0,1200,800&f=jpeg");
  const found = await ImageCache.get(image.id, image.rev, false);
  const { planHash, needsBudget } = Delivery.plan(request, Delivery.parse(request), found);
  const plan = { imageId: image.id, plan: planHash, needsBudget };
  expect(await RenderLease.acquire(plan)).toMatchObject({ type: "acquired" });
  // S3 does not answer at all
  const isOver = Promise.withResolvers<void>();
  const hold = (path: string) => (path.includes("originals") ? isOver.promise : undefined);
  await withS3Proxy(async () => {
    const result = serveImage(request, performance.now() + 500);
    await expect(result).rejects.toMatchObject({ code: "delivery.busy" });
    isOver.resolve();
  }, hold);
  await expect.poll(temporaryFolders).toEqual([]);
});

test("several originals at once are rendered one after the other, by one process", async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => fromOriginal()));
  expect(all.map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect(workerProcesses().length).toBe(1);
});
