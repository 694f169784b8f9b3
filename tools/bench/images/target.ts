import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

import type { Original } from "./corpus.ts";
import type { usageOf } from "./process-tree.ts";

export type Format = "webp" | "avif" | "jpeg";

/** Every image has this width, and this quality on JPEG's scale. */
export const WIDTH = 800;
export const QUALITY = 80;

/** A program that renders images. */
export type Target = {
  name: string;
  formats: readonly Format[];
  /** Renders an image that it has not rendered before. Resolves with the bytes if they are sent to the client. */
  renderNew(original: Original, format: Format): Promise<Buffer | undefined>;
  /** Requests an image that it has rendered before; absent if it stores nothing. */
  renderAgain?(original: Original, format: Format): Promise<Buffer>;
  usage(): ReturnType<typeof usageOf>;
  stop(): Promise<void>;
};

/** Starts a program in a process of its own and waits for its first message, which says how to reach it. */
export async function startProgram<StartMessage>(
  file: string,
  args: string[],
  env: Record<string, string> = {},
) {
  const child = fork(file, args, { env: { ...process.env, ...env } });
  const message = once(child, "message").then(([first]) => first as StartMessage);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${file} ended with ${code}`);
  });
  ended.catch(() => {});
  return { child, message: await Promise.race([message, ended]), stop: () => stopProcess(child) };
}

export async function stopProcess(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill();
  await gone;
}
