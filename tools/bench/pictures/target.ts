import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

import type { Original } from "./corpus.ts";
import type { usage } from "./process-tree.ts";

export type Format = "webp" | "avif" | "jpeg";

/** Every answer is this wide, at this quality on JPEG's scale. */
export const EDGE = 800;
export const QUALITY = 80;

/** One that makes pictures. */
export type Contender = {
  name: string;
  makes: readonly Format[];
  /** Makes one that it has never made; how it avoids what it has is its own affair. Resolves with the bytes, if they travel. */
  make(original: Original, format: Format): Promise<Buffer | undefined>;
  /** Asks again for what it has made; absent when it keeps nothing. */
  again?(original: Original, format: Format): Promise<Buffer>;
  usage(): ReturnType<typeof usage>;
  stop(): Promise<void>;
};

/** A program of ours in a process of its own, which tells once what is needed to speak to it. */
export async function program<Told>(
  file: string,
  args: string[],
  env: Record<string, string> = {},
) {
  const child = fork(file, args, { env: { ...process.env, ...env } });
  const told = once(child, "message").then(([message]) => message as Told);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${file} ended with ${code}`);
  });
  ended.catch(() => {});
  return { child, told: await Promise.race([told, ended]), stop: () => end(child) };
}

export async function end(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill();
  await gone;
}
