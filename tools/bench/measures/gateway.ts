import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { json } from "node:stream/consumers";

import type { ResourceGraph } from "@balde/local-cloud";

import { type Load, type LoadResult, sendLoad } from "../load-client.ts";
import { type BenchCloud, withCloud } from "../cloud.ts";
import { startLoopbackServer } from "../loopback-server.ts";
import { printTable, reportGoal } from "../report.ts";

const seconds = Number(process.env.SECONDS ?? 4);
const rounds = Number(process.env.ROUNDS ?? 3);

/** Measures the cost of gateway, invocation and traces around a Hono handler that does nothing. */
export async function run() {
  await withCloud(measureGateway, replaceHandler);
}

/** Replaces ApiHandler by a handler that does nothing. */
function replaceHandler({ functions }: ResourceGraph) {
  const api = Object.values(functions).find(({ name }) => name === "ApiHandler")!;
  api.handler = "tools/bench/handlers/hello.handler";
}

type Row = LoadResult & { cpu: number };

async function measureGateway({ local, data }: BenchCloud) {
  const { origin, pathname } = new URL(local.api);
  const get = (path: string): Load["requests"] => [{ method: "GET", path }];
  const event = await (await fetch(`${local.api}/v1/images/img_1`)).json();
  const bundle = join(data, "functions/ApiHandler/bundle.mjs#handler");
  const plain = await plainServer();

  // in turn, so that a busy moment of the machine affects all
  const direct: number[] = [];
  const rows: Record<string, Row[]> = { one: [], many: [], plain: [] };
  for (let round = 0; round < rounds; round++) {
    direct.push(await measureDirectCall(bundle, event));
    const gateway = { origin, requests: get(`${pathname}/v1/images`) };
    rows["one"]!.push(await sendMeasuredLoad({ ...gateway, connections: 1 }));
    rows["many"]!.push(await sendMeasuredLoad({ ...gateway, connections: 16 }));
    rows["plain"]!.push(
      await sendMeasuredLoad({ origin: plain.url, requests: get("/"), connections: 16 }),
    );
  }
  await plain.close();

  const best = (key: string) => rows[key]!.toSorted((a, b) => b.perSecond - a.perSecond)[0]!;
  const [one, many, ceiling] = [best("one"), best("many"), best("plain")];
  const alone = Math.min(...direct);
  const row = (label: string, { perSecond, p50, p99, cpu }: Row) => [
    label,
    perSecond.toFixed(0),
    p50.toFixed(2),
    p99.toFixed(2),
    cpu.toFixed(2),
  ];
  printTable(
    [
      `best of ${rounds} times ${seconds} s`,
      "requests/s",
      "p50 ms",
      "p99 ms",
      "ms of this process",
    ],
    [
      ["the handler in its own process, called", "", alone.toFixed(3), "", ""],
      row("through the gateway, 1 connection", one),
      row("through the gateway, 16 connections", many),
      row("node:http alone, 16 connections", ceiling),
    ],
  );
  console.log("");
  const added = one.p50 - alone;
  reportGoal(
    "Gateway latency",
    "less than 1 ms at the median over calling the handler",
    `${added.toFixed(2)} ms`,
    added < 1,
  );
  reportGoal(
    "Gateway throughput",
    "at least 3,000 requests a second with two workers and the client on the same two processors",
    `${many.perSecond.toFixed(0)}, ${((100 * many.perSecond) / ceiling.perSecond).toFixed(0)} % of what node:http does with no work to do`,
    many.perSecond >= 3_000,
  );
}

async function sendMeasuredLoad(load: Omit<Load, "status" | "seconds">): Promise<Row> {
  const before = process.cpuUsage();
  const measured = await sendLoad({ ...load, status: 200, seconds, warmSeconds: 1 });
  const { user, system } = process.cpuUsage(before);
  // includes the warm-up second of the client
  const share = seconds / (seconds + 1);
  return { ...measured, cpu: ((user + system) * share) / 1000 / measured.responses };
}

async function measureDirectCall(bundle: string, event: unknown): Promise<number> {
  const program = join(import.meta.dirname, "../call-handler.program.ts");
  const child = spawn(process.execPath, [program, bundle], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify({ event, seconds: 2 }));
  const [{ p50 }, [code]] = await Promise.all([
    json(child.stdout) as Promise<{ p50: number }>,
    once(child, "exit"),
  ]);
  if (code !== 0) throw new Error(`calling ${bundle} ended with ${code}`);
  return p50;
}

/** The upper limit: Node's HTTP server in this process with the same client. */
const plainServer = () =>
  startLoopbackServer((_request, response) => {
    const body = '{"hello":"world"}';
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
