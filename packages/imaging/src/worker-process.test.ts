import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { svg } from "../test/hostile/svg.ts";
import { photo } from "../test/samples.ts";
import * as WorkerProcess from "./worker-process.ts";
import { prepare } from "./prepare.ts";

const patient = { milliseconds: 60_000 };
/** An outline that crosses itself a billion times: what only drawing can tell, and nothing interrupts. */
const endless = Buffer.from(
  svg(
    `<path stroke="red" stroke-width="50" d="M0 0${Array.from({ length: 40_000 }, (_, i) => `L${(i * 7919) % 1000} ${(i * 104_729) % 1000}`).join("")}"/>`,
  ),
);

/** The processes that this one has started. */
const children = () =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, ...args]) =>
        Number(parent) === process.pid && args.join(" ").includes("apart.child"),
    )
    .map(([pid]) => Number(pid));

async function running() {
  for (;;) {
    const [pid] = children();
    if (pid !== undefined) return pid;
    await sleep(10);
  }
}

test("what is prepared apart is what is prepared here", async () => {
  const bytes = await photo(700, 500).png().toBuffer();
  expect(await WorkerProcess.prepare(bytes, { ...patient, publish: true })).toEqual(
    await prepare(bytes, { publish: true }),
  );
});

test("a refusal keeps its reason on the way", async () => {
  const bytes = Buffer.from("no picture");
  await expect(WorkerProcess.prepare(bytes, { ...patient, publish: true })).rejects.toMatchObject({
    name: "Refusal",
    kind: "unsupported",
    code: "image.not_a_picture",
    detail: expect.stringMatching(/not a picture/),
  });
});

test("what takes too long is refused then, its process is gone, and the next picture is prepared", async () => {
  const start = performance.now();
  const late = WorkerProcess.prepare(endless, { milliseconds: 1500, publish: false });
  await expect(late).rejects.toMatchObject({ name: "Refusal", code: "image.too_complex" });
  expect(performance.now() - start).toBeLessThan(3000);
  expect(children()).toEqual([]);
  const bytes = await photo(60, 40).jpeg().toBuffer();
  expect(await WorkerProcess.prepare(bytes, { ...patient, publish: false })).toMatchObject({
    width: 60,
  });
});

test("whoever comes for pictures at the same time gets his own", async () => {
  const sizes = [20, 30, 40, 50];
  const all = sizes.map(async (size) =>
    WorkerProcess.prepare(await photo(size, size).jpeg().toBuffer(), {
      ...patient,
      publish: false,
    }),
  );
  expect((await Promise.all(all)).map(({ width }) => width)).toEqual(sizes);
});

test("a picture that its process dies of is tried once more, then refused; one that dies once is prepared", async () => {
  const twice = WorkerProcess.prepare(endless, { ...patient, publish: false });
  const first = await running();
  await sleep(300);
  process.kill(first, "SIGSEGV");
  await expect.poll(children).not.toContain(first);
  const second = await running();
  await sleep(300);
  process.kill(second, "SIGABRT");
  await expect(twice).rejects.toMatchObject({
    code: "image.too_complex",
    detail: /twice \(SIGABRT\)/,
  });

  const photograph = await photo(3000, 3000).png().toBuffer();
  const once = WorkerProcess.prepare(photograph, { ...patient, publish: true });
  process.kill(await running(), "SIGKILL");
  expect(await once).toMatchObject({ width: 3000 });
});

test("a process that somebody stops says nothing about the picture", async () => {
  const stopped = WorkerProcess.prepare(endless, { ...patient, publish: false });
  process.kill(await running(), "SIGTERM");
  await expect(stopped).rejects.toMatchObject({ name: "Error", message: /SIGTERM/ });
});
