import { Agent, get as request } from "node:http";
import { buffer } from "node:stream/consumers";

import { quantile } from "../report.ts";
import type { Target } from "./target.ts";

/** The responses to `concurrency` clients, each of which waits for its response before the next request. */
export type Load = {
  perSecond: number;
  p50: number;
  p99: number;
  /** Processor milliseconds per image, of all processes of the target. */
  cpu: number | undefined;
  responses: number;
};

type Limits = { concurrency: number; seconds: number; maxResponses: number };

/** Ends after `seconds` or `maxResponses`, but not before every client has had a response. */
export async function measureLoad(
  target: Target,
  request: () => Promise<unknown>,
  { concurrency, seconds, maxResponses: most }: Limits,
): Promise<Load> {
  const times: number[] = [];
  const before = target.usage();
  const start = performance.now();
  const isOver = () => times.length >= most || performance.now() - start > seconds * 1000;
  let started = 0;
  const client = async () => {
    do {
      started += 1;
      const sent = performance.now();
      await request();
      times.push(performance.now() - sent);
    } while (!isOver() && started < most);
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  const took = performance.now() - start;
  const after = target.usage();
  return {
    perSecond: (times.length * 1000) / took,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: before && after && (after.cpuMs - before.cpuMs) / times.length,
    responses: times.length,
  };
}

// closes an idle connection before any of the servers does
const agent = new Agent({ keepAlive: true, timeout: 2000 });

export type HttpResponse = { body: Buffer; headers: Record<string, unknown> };

export async function get(url: string): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const sent = request(url, { agent }, (response) => {
    const { statusCode, headers } = response;
    const answered = buffer(response).then((body) => {
      if (statusCode === 200) return { body, headers };
      throw new Error(`${url}: ${statusCode} ${body.toString().slice(0, 200)}`);
    });
    resolve(answered);
  });
  sent.on("error", reject);
  return promise;
}
