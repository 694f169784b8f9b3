import { createClient } from "../../../packages/client/src/client.ts";
import { type LoadResult, type Request, sendLoad } from "../load-client.ts";
import { type BenchCloud, withCloud } from "../cloud.ts";
import { samplePhotograph } from "../sample-photograph.ts";
import { printTable, reportGoal } from "../report.ts";

const seconds = Number(process.env.SECONDS ?? 3);

/** Measures responses that need no render: 304, HEAD and a stored derivative. */
export async function run() {
  await withCloud(measureDelivery);
}

async function measureDelivery(cloud: BenchCloud) {
  const { api, cognito } = cloud.local;
  cloud.createUser({ name: "bench", password: "Bench-mark-1", email: "bench@example.com" });
  const { IdToken } = await cloud.issueTokens("bench", cognito!);
  const photograph = await samplePhotograph();
  const client = createClient(api, { token: IdToken });
  const { id, rev } = await client.upload(new Blob([photograph.bytes], { type: "image/jpeg" }));

  const address = `${api}/i/${id}/${rev}?w=800&f=webp`;
  const first = await fetch(address);
  const bytes = (await first.arrayBuffer()).byteLength;
  const etag = first.headers.get("etag")!;
  const { origin, pathname, search } = new URL(address);
  const path = pathname + search;
  const cases: [string, number, Request][] = [
    ["304", 304, { method: "GET", path, headers: { "if-none-match": etag } }],
    ["HEAD", 200, { method: "HEAD", path }],
    [`stored, ${(bytes / 1000).toFixed(0)} KB`, 200, { method: "GET", path }],
  ];

  const rows: [string, LoadResult][] = [];
  for (const [label, status, request] of cases) {
    const load = { origin, requests: [request], status, seconds, warmSeconds: 1, connections: 1 };
    rows.push([label, await sendLoad(load)]);
  }
  printTable(
    [`sequentially for ${seconds} s: ${photograph.label}`, "p50 ms", "p99 ms"],
    rows.map(([label, { p50, p99 }]) => [label, p50.toFixed(2), p99.toFixed(2)]),
  );
  console.log("");
  const slowest = Math.max(...rows.map(([, { p50 }]) => p50));
  reportGoal(
    "Delivery without render",
    "304, HEAD and a stored derivative through gateway and function in less than 4 ms, p50",
    `${slowest.toFixed(2)} ms at most`,
    slowest < 4,
  );
}
