import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";

import { type Stage, runStartCommand, startLocalCloud } from "./stage.ts";

// each test starts processes, which takes long on a busy machine
vi.setConfig({ testTimeout: 90_000 });

const data = mkdtempSync(join(tmpdir(), "balde-start-"));
let running: Stage | undefined;

afterAll(async () => {
  await running?.stop();
  rmSync(data, { recursive: true, force: true });
});

const images = async ({ local }: Stage) => {
  const answer = (await (await fetch(`${local.api}/v1/images`)).json()) as {
    items: { name: string; state: string }[];
  };
  return answer.items.filter((image) => image.state === "ready").map((image) => image.name);
};

test("a start seeds three images and two users once and writes local.json", async () => {
  running = await startLocalCloud(data);
  const seeded = ["koi.jpg", "pier.jpg", "stonehenge.jpg"];
  expect((await images(running)).toSorted()).toEqual(seeded);
  expect(running.local.users).toHaveLength(2);
  expect(JSON.parse(readFileSync(join(data, "local.json"), "utf8"))).toEqual(running.local);
  expect(running.local.api).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\w+$/);
  const { status, headers } = await fetch(running.local.docs!);
  expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);

  await running.stop();
  running = await startLocalCloud(data);
  expect((await images(running)).toSorted()).toEqual(seeded);
});

test("Ctrl-C in a terminal, which every process of the group receives, ends the cloud without an error", async () => {
  const folder = mkdtempSync(join(tmpdir(), "balde-start-"));
  const interrupted = await startLocalCloud(folder);
  await interrupted.interrupt();
  expect(interrupted.stderr()).not.toMatch(/error/i);
  rmSync(folder, { recursive: true, force: true });
});

test.concurrent("a second cloud on the same folder is rejected", async () => {
  const second = await runStartCommand("--port", "0", "--data", data);
  expect(second.code).toBe(1);
  expect(second.text).toMatch(/another .* uses/i);
  expect(second.text).not.toMatch(/\n\s+at /);
});

test.concurrent("a taken port is an error of one line", async () => {
  // below the range from which the system gives free ports, so that no other test has the ports after it
  const otherServer = createServer().listen(randomInt(10_000, 30_000), "127.0.0.1");
  await once(otherServer, "listening");
  const { port } = otherServer.address() as { port: number };
  const empty = mkdtempSync(join(tmpdir(), "balde-start-"));
  const failed = await runStartCommand("--port", String(port), "--data", empty);
  otherServer.close();
  rmSync(empty, { recursive: true });
  expect(failed.code).toBe(1);
  expect(failed.text).toContain(String(port));
  expect(failed.text).toMatch(/--port/);
  expect(failed.text).not.toMatch(/\n\s+at /);
});

test.concurrent.each([
  [["--data", "/proc/balde"], /\/proc\/balde/],
  [["--port", "many"], /--port many/],
  [["--prot", "1"], /--prot/],
])("%j is rejected with an error of one line", async (options, message) => {
  const failed = await runStartCommand(...options);
  expect(failed.code).toBe(1);
  expect(failed.text).toMatch(message);
  expect(failed.text).not.toMatch(/\n\s+at /);
});
