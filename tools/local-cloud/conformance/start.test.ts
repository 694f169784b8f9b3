import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const command = "tools/local-cloud/conformance/start.ts";

/** Returns the first line that the process prints. */
async function firstLine(child: ChildProcess): Promise<string> {
  let out = "";
  for await (const chunk of child.stdout!) {
    out += String(chunk);
    if (out.endsWith("\n")) break;
  }
  return out;
}

async function responds(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "the fixture prints one line of JSON, and %s stops it completely",
  async (signal) => {
    const child = spawn(process.execPath, [command], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = text(child.stdout!);
    const { url } = await new Promise<{ url: string }>((resolve) =>
      child.stdout!.once("data", (chunk: Buffer) => resolve(JSON.parse(chunk.toString()))),
    );
    expect(await responds(`${url}/t/`)).toBe(true);
    const ended = once(child, "exit");
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    expect(await responds(`${url}/t/`)).toBe(false);
    const lines = (await output).trimEnd().split("\n");
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

test("the fixture stops when its script runner is killed", async () => {
  // like pnpm: a shell between the runner and the script, which does not forward signals
  const script = `sh -c '"${process.execPath}" ${command}; true'; true`;
  const runner = spawn("sh", ["-c", script], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, npm_lifecycle_event: "fixture" },
  });
  const { url } = JSON.parse(await firstLine(runner));
  expect(await responds(`${url}/t/`)).toBe(true);
  runner.kill("SIGKILL");
  const deadline = Date.now() + 10_000;
  while ((await responds(`${url}/t/`)) && Date.now() < deadline) await sleep(100);
  expect(await responds(`${url}/t/`)).toBe(false);
});
