import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const command = "tools/local-cloud/conformance/start.ts";

/** What it prints first, when that is a line. */
async function line(child: ChildProcess): Promise<string> {
  let out = "";
  for await (const chunk of child.stdout!) {
    out += String(chunk);
    if (out.endsWith("\n")) break;
  }
  return out;
}

async function isThere(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "the fixture prints one line of JSON, and %s ends it and leaves nothing",
  async (signal) => {
    const child = spawn(process.execPath, [command], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = text(child.stdout!);
    const { url } = await new Promise<{ url: string }>((resolve) =>
      child.stdout!.once("data", (chunk: Buffer) => resolve(JSON.parse(chunk.toString()))),
    );
    expect(await isThere(`${url}/t/`)).toBe(true);
    const ended = once(child, "exit");
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    expect(await isThere(`${url}/t/`)).toBe(false);
    const lines = (await said).trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(Object.keys(JSON.parse(lines[0]!))).toEqual([
      "url",
      "stage",
      "websocketUrl",
      "websocketAuthorizedUrl",
      "apiKeys",
      "cognito",
      "iam",
      "authorizerCalls",
      "clock",
    ]);
  },
);

test("a fixture whose script runner was ended ends too", async () => {
  // as pnpm does: a shell between the runner and the script, and no signal handed on
  const script = `sh -c '"${process.execPath}" ${command}; true'; true`;
  const runner = spawn("sh", ["-c", script], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, npm_lifecycle_event: "fixture" },
  });
  const { url } = JSON.parse(await line(runner));
  expect(await isThere(`${url}/t/`)).toBe(true);
  runner.kill("SIGKILL");
  const deadline = Date.now() + 10_000;
  while ((await isThere(`${url}/t/`)) && Date.now() < deadline) await sleep(100);
  expect(await isThere(`${url}/t/`)).toBe(false);
});
