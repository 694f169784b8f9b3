import { Agent, get as request } from "node:http";
import { buffer } from "node:stream/consumers";

import { quantile } from "../report.ts";
import type { Contender } from "./target.ts";

/** Of answers that were asked for by `concurrency` clients, each waiting for its last. */
export type Load = {
  perSecond: number;
  p50: number;
  p99: number;
  /** Processor time per picture, of everything that the contender runs. */
  cpu: number | undefined;
  answers: number;
};

type Limits = { concurrency: number; seconds: number; most: number };

/** Ends after `seconds` or `most` answers, but not before everyone has had one. */
export async function load(
  contender: Contender,
  ask: () => Promise<unknown>,
  { concurrency, seconds, most }: Limits,
): Promise<Load> {
  const times: number[] = [];
  const before = contender.usage();
  const start = performance.now();
  const isOver = () => times.length >= most || performance.now() - start > seconds * 1000;
  let asked = 0;
  const client = async () => {
    do {
      asked += 1;
      const sent = performance.now();
      await ask();
      times.push(performance.now() - sent);
    } while (!isOver() && asked < most);
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  const took = performance.now() - start;
  const after = contender.usage();
  return {
    perSecond: (times.length * 1000) / took,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: before && after && (after.cpuMs - before.cpuMs) / times.length,
    answers: times.length,
  };
}

// lets go of a connection before any of the servers does
const agent = new Agent({ keepAlive: true, timeout: 2000 });

export type Answer = { body: Buffer; headers: Record<string, unknown> };

export async function get(url: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
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
