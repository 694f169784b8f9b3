// A client in a process of its own: reads a `Load` from standard input and prints a `LoadResult`.
import { json } from "node:stream/consumers";

import { Pool } from "undici";

import type { Load, LoadResult, Request } from "./load-client.ts";

const load = (await json(process.stdin)) as Load;
const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });

const times: number[] = [];
const statuses: Record<string, number> = {};
let wrong: string | undefined;
let next = 0;

/** Each client waits for its response before it sends the next request. */
async function client(isOver: () => boolean) {
  while (!isOver()) await send(load.requests[next++ % load.requests.length]!);
}

function send({ method, path, headers, body }: Request) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sent = performance.now();
  let status = 0;
  let text = "";
  // undici's dispatch, without promises and streams: the client runs on the processors that it measures
  pool.dispatch(
    { method, path, headers: headers ?? {}, body: body ?? null },
    {
      onRequestStart() {},
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData(_controller, chunk) {
        if (status !== load.status && text.length < 500) text += chunk.toString();
      },
      onResponseEnd() {
        times.push(performance.now() - sent);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status !== load.status) wrong ??= `${method} ${path}: ${status} ${text}`;
        resolve();
      },
      onResponseError(_controller, error) {
        reject(error);
      },
    },
  );
  return promise;
}

async function run(isOver: () => boolean) {
  const start = performance.now();
  await Promise.all(Array.from({ length: load.connections }, () => client(isOver)));
  return performance.now() - start;
}

const until = (end: number) => () => performance.now() >= end;

if (load.warmSeconds) await run(until(performance.now() + load.warmSeconds * 1000));
times.length = 0;
const took = await run(
  load.seconds === undefined
    ? () => next >= load.requests.length
    : until(performance.now() + load.seconds * 1000),
);
await pool.close();

times.sort((a, b) => a - b);
const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
const measured: LoadResult = {
  responses: times.length,
  perSecond: (times.length * 1000) / took,
  p50: at(0.5),
  p99: at(0.99),
  ...(wrong !== undefined && { unexpected: wrong }),
};
process.stdout.write(JSON.stringify(measured));
