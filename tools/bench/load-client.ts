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
  /** The status that every response must have. */
  status: number;
  /** Repeats the requests for this time; without it sends each once. */
  seconds?: number;
  /** Time before the measurement starts. */
  warmSeconds?: number;
};

export type LoadResult = {
  responses: number;
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** The first response with another status. */
  unexpected?: string;
};

/** Sends the requests from a process of its own over persistent connections. @throws if a response has another status. */
export async function sendLoad(load: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "load-client.program.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(load));
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`the client of ${load.origin} ended with ${code}`);
  const measured = JSON.parse(out) as LoadResult;
  if (measured.unexpected !== undefined) throw new Error(measured.unexpected);
  return measured;
}
