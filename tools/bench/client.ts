import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export type Request = {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  path: string;
  headers?: Record<string, string>;
  body?: string;
};

export type Load = {
  origin: string;
  requests: Request[];
  connections: number;
  /** What every answer must have. */
  status: number;
  /** Over and over for so long; without it each request once. */
  seconds?: number;
  /** Before it counts. */
  warmSeconds?: number;
};

export type Measured = {
  answers: number;
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** The first answer with another status. */
  wrong?: string;
};

/** Asks from a process of its own, over connections that stay open. */
export async function measure(load: Load): Promise<Measured> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "client.program.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(load));
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`the client of ${load.origin} ended with ${code}`);
  const measured = JSON.parse(out) as Measured;
  if (measured.wrong !== undefined) throw new Error(measured.wrong);
  return measured;
}
