import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { endlessSvg } from "../test/hostile/svg.ts";
import { photo } from "../test/samples.ts";
import {
  harmlessVariable,
  variablesOf,
  workerPid,
  workerProcesses,
} from "../test/worker-processes.ts";
import * as WorkerProcess from "./worker-process.ts";
import { prepare } from "./prepare.ts";

const limit = { milliseconds: 60_000 };
const endless = Buffer.from(endlessSvg());

test("the worker process prepares an image as this process does", async () => {
  const bytes = await photo(700, 500).png().toBuffer();
  expect(await WorkerProcess.prepare(bytes, { ...limit, namedCopy: true })).toEqual(
    await prepare(bytes, { namedCopy: true }),
  );
});

test("the worker process has none of the function's variables", async () => {
  const secrets = {
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "token",
    AWS_LAMBDA_RUNTIME_API: "127.0.0.1:1",
    SST_RESOURCE_Images: "{}",
  };
  for (const pid of workerProcesses()) process.kill(pid, "SIGKILL");
  await expect.poll(() => workerProcesses()).toEqual([]);
  Object.assign(process.env, secrets);
  try {
    await WorkerProcess.prepare(await photo(20, 20).jpeg().toBuffer(), {
      ...limit,
      namedCopy: false,
    });
  } finally {
    for (const name of Object.keys(secrets)) delete process.env[name];
  }
  const names = variablesOf(workerProcesses()[0]!);
  expect(names).toContain("PATH");
  expect(names.filter((name) => !harmlessVariable.test(name))).toEqual([]);
});

test("a refusal of the worker process keeps its kind, code and detail", async () => {
  const bytes = Buffer.from("no image");
  await expect(WorkerProcess.prepare(bytes, { ...limit, namedCopy: true })).rejects.toMatchObject({
    name: "Refusal",
    kind: "unsupported",
    code: "image.not_a_picture",
    detail: expect.stringMatching(/not an image/),
  });
});

test("after the limit the image is refused, the process is killed, and the next image is prepared", async () => {
  const start = performance.now();
  const late = WorkerProcess.prepare(endless, { milliseconds: 1000, namedCopy: false });
  await expect(late).rejects.toMatchObject({ name: "Refusal", code: "image.too_complex" });
  expect(performance.now() - start).toBeLessThan(2500);
  expect(workerProcesses()).toEqual([]);
  const bytes = await photo(60, 40).jpeg().toBuffer();
  expect(await WorkerProcess.prepare(bytes, { ...limit, namedCopy: false })).toMatchObject({
    width: 60,
  });
});

test("concurrent jobs each get their own result", async () => {
  const sizes = [20, 30, 40, 50];
  const all = sizes.map(async (size) =>
    WorkerProcess.prepare(await photo(size, size).jpeg().toBuffer(), {
      ...limit,
      namedCopy: false,
    }),
  );
  expect((await Promise.all(all)).map(({ width }) => width)).toEqual(sizes);
});

test("an image is tried again after a crash and refused after the second one", async () => {
  const crashing = WorkerProcess.prepare(endless, { ...limit, namedCopy: false });
  const first = await workerPid();
  await sleep(200);
  process.kill(first, "SIGSEGV");
  await expect.poll(() => workerProcesses()).not.toContain(first);
  const second = await workerPid();
  await sleep(200);
  process.kill(second, "SIGABRT");
  await expect(crashing).rejects.toMatchObject({
    code: "image.too_complex",
    detail: /twice \(SIGABRT\)/,
  });

  const photograph = await photo(1600, 1600).png().toBuffer();
  const killedOnce = WorkerProcess.prepare(photograph, { ...limit, namedCopy: true });
  process.kill(await workerPid(), "SIGKILL");
  expect(await killedOnce).toMatchObject({ width: 1600 });
});

test("a stopped process is an error and no refusal of the image", async () => {
  const stopped = WorkerProcess.prepare(endless, { ...limit, namedCopy: false });
  process.kill(await workerPid(), "SIGTERM");
  await expect(stopped).rejects.toMatchObject({ name: "Error", message: /SIGTERM/ });
});
