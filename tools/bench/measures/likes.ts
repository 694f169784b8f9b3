import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { loadGraph, silentLog } from "@balde/local-cloud";
import sharp from "sharp";

import { createClient } from "../../../packages/client/src/client.ts";
import * as LikeRow from "../../../packages/core/src/like.row.ts";
import { createClock } from "../../local-cloud/src/clock.ts";
import { startEngine } from "../../local-cloud/src/dynamodb/engine.ts";
import { ensureTables, tablesOf } from "../../local-cloud/src/dynamodb/tables.ts";
import { startUpkeep } from "../../local-cloud/src/dynamodb/ttl.ts";
import { type Request, measure } from "../client.ts";
import { type BenchCloud, root, withCloud } from "../cloud.ts";
import { table, verdict } from "../report.ts";

/** The same as clients at once; each likes, thinks again, and likes. */
const PEOPLE = Number(process.env.PEOPLE ?? 500);
const CLIENTS = 64;

/** One picture that many people like at once, through everything; beside it the table's engine putting the same rows. */
export async function run() {
  const before = await engineAlone();
  const { likes, likesAgain, count, shownAfter } = await withCloud(throughEverything);
  const after = await engineAlone();
  const engine = Math.max(before.perSecond, after.perSecond);

  const row = (label: string, { perSecond, p50, p99 }: typeof before) => [
    label,
    perSecond.toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
  ];
  table(
    [`${CLIENTS} clients, ${PEOPLE} people, one picture`, "a second", "p50 ms", "p99 ms"],
    [
      row("the engine alone, conditional puts, before", before),
      row("the engine alone, conditional puts, after", after),
      row("likes through everything", likes),
      row("the same after everybody took his like back", likesAgain),
    ],
  );
  console.log(`\nThe page shows all ${count} of them ${shownAfter.toFixed(0)} ms after the last.`);
  const share = likesAgain.perSecond / engine;
  verdict(
    "G18",
    "likes at half of the conditional puts of the engine alone, the count exact within a second",
    `${share.toFixed(2)} of them, ${count} of ${PEOPLE} likes shown after ${shownAfter.toFixed(0)} ms`,
    share >= 0.5 && count === PEOPLE && shownAfter <= 1_000,
  );
}

async function throughEverything(cloud: BenchCloud) {
  const { api, cognito } = cloud.local;
  const { origin, pathname } = new URL(api);
  const tokens: string[] = [];
  for (let n = 0; n < PEOPLE; n++) {
    const name = `person-${n}`;
    cloud.createUser({ name, password: "Bench-mark-1", email: `${name}@example.com` });
    tokens.push((await cloud.issueTokens(name, cognito!)).IdToken);
  }
  const client = createClient(api, { token: tokens[0]! });
  const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: "#38a" } });
  const bytes = new Uint8Array(await picture.jpeg().toBuffer());
  const { id } = await client.upload(new Blob([bytes], { type: "image/jpeg" }));

  const everybody = (method: Request["method"]) =>
    measure({
      origin,
      requests: tokens.map((authorization) => ({
        method,
        path: `${pathname}/v1/images/${id}/like`,
        headers: { authorization },
      })),
      connections: CLIENTS,
      status: 200,
    });
  const likes = await everybody("PUT");
  await shown(api, id, PEOPLE);
  await everybody("DELETE");
  await shown(api, id, 0);
  const likesAgain = await everybody("PUT");
  return { likes, likesAgain, ...(await shown(api, id, PEOPLE)) };
}

/** Waits until the page shows so many, five seconds at most. */
async function shown(api: string, id: string, expected: number) {
  const start = performance.now();
  for (;;) {
    const { likes } = (await (await fetch(`${api}/v1/images/${id}`)).json()) as { likes: number };
    const shownAfter = performance.now() - start;
    if (likes === expected || shownAfter > 5_000) return { count: likes, shownAfter };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The table of the graph with its indexes and its stream, without guard, gateway and functions. */
async function engineAlone() {
  const folder = await mkdtemp(join(tmpdir(), "balde-bench-"));
  const graph = loadGraph(join(root, "infra/stack.json"));
  const tables = tablesOf(graph);
  const db = new DatabaseSync(":memory:");
  const engine = await startEngine({ folder, log: silentLog, env: {} });
  try {
    await ensureTables(engine, tables);
    const clock = createClock();
    const upkeep = startUpkeep({ engine, tables, db, clock, log: silentLog });
    const measured = await measure({
      origin: engine.url,
      requests: Array.from({ length: PEOPLE }, (_, n) => put(tables[0]!.name, `person-${n}`)),
      connections: CLIENTS,
      status: 200,
    });
    await upkeep.close();
    return measured;
  } finally {
    await engine.close();
    db.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function put(TableName: string, person: string): Request {
  const row = LikeRow.item("img_00000000000000000000000000", person, new Date().toISOString());
  return {
    method: "POST",
    path: "/",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.PutItem",
      "x-amz-date": "20260101T000000Z",
      // the engine wants a signature and checks none
      authorization:
        "AWS4-HMAC-SHA256 Credential=BENCH/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify({
      TableName,
      Item: Object.fromEntries(Object.entries(row).map(([name, S]) => [name, { S }])),
      ConditionExpression: "attribute_not_exists(#pk)",
      ExpressionAttributeNames: { "#pk": "pk" },
    }),
  };
}
