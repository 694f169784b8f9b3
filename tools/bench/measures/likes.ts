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
import { startTableMaintenance } from "../../local-cloud/src/dynamodb/table-maintenance.ts";
import { type Request, sendLoad } from "../load-client.ts";
import { type BenchCloud, root, withCloud } from "../cloud.ts";
import { printTable, reportGoal } from "../report.ts";

/** Each user likes, takes the like back, and likes again. */
const USERS = Number(process.env.USERS ?? 500);
const CLIENTS = 64;

/** Measures many users liking one image at once, next to the table's engine alone with the same rows. */
export async function run() {
  const before = await measureEngine();
  const { likes, likesAgain, count, shownAfter } = await withCloud(measureLikes);
  const after = await measureEngine();
  const engine = Math.max(before.perSecond, after.perSecond);

  const row = (label: string, { perSecond, p50, p99 }: typeof before) => [
    label,
    perSecond.toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
  ];
  printTable(
    [`${CLIENTS} clients, ${USERS} users, one image`, "a second", "p50 ms", "p99 ms"],
    [
      row("the engine alone, conditional puts, before", before),
      row("the engine alone, conditional puts, after", after),
      row("likes through the whole stack", likes),
      row("the same after every user took the like back", likesAgain),
    ],
  );
  console.log(`\nThe page shows ${count} likes ${shownAfter.toFixed(0)} ms after the last one.`);
  const share = likesAgain.perSecond / engine;
  reportGoal(
    "Likes",
    "likes at half of the conditional puts of the engine alone, the count exact within a second",
    `${share.toFixed(2)} of them, ${count} of ${USERS} likes shown after ${shownAfter.toFixed(0)} ms`,
    share >= 0.5 && count === USERS && shownAfter <= 1_000,
  );
}

async function measureLikes(cloud: BenchCloud) {
  const { api, cognito } = cloud.local;
  const { origin, pathname } = new URL(api);
  const tokens: string[] = [];
  for (let n = 0; n < USERS; n++) {
    const name = `user-${n}`;
    cloud.createUser({ name, password: "Bench-mark-1", email: `${name}@example.com` });
    tokens.push((await cloud.issueTokens(name, cognito!)).IdToken);
  }
  const client = createClient(api, { token: tokens[0]! });
  const image = sharp({ create: { width: 64, height: 64, channels: 3, background: "#38a" } });
  const bytes = new Uint8Array(await image.jpeg().toBuffer());
  const { id } = await client.upload(new Blob([bytes], { type: "image/jpeg" }));

  const sendForAll = (method: Request["method"]) =>
    sendLoad({
      origin,
      requests: tokens.map((authorization) => ({
        method,
        path: `${pathname}/v1/images/${id}/like`,
        headers: { authorization },
      })),
      connections: CLIENTS,
      status: 200,
    });
  const likes = await sendForAll("PUT");
  await waitForCount(api, id, USERS);
  await sendForAll("DELETE");
  await waitForCount(api, id, 0);
  const likesAgain = await sendForAll("PUT");
  return { likes, likesAgain, ...(await waitForCount(api, id, USERS)) };
}

/** Waits until the page shows the expected count, at most five seconds. */
async function waitForCount(api: string, id: string, expected: number) {
  const start = performance.now();
  for (;;) {
    const { likes } = (await (await fetch(`${api}/v1/images/${id}`)).json()) as { likes: number };
    const shownAfter = performance.now() - start;
    if (likes === expected || shownAfter > 5_000) return { count: likes, shownAfter };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Measures the table of the graph with its indexes and stream, without access checks, gateway and functions. */
async function measureEngine() {
  const folder = await mkdtemp(join(tmpdir(), "balde-bench-"));
  const graph = loadGraph(join(root, "infra/stack.json"));
  const tables = tablesOf(graph);
  const db = new DatabaseSync(":memory:");
  const engine = await startEngine({ folder, log: silentLog, env: {} });
  try {
    await ensureTables(engine, tables);
    const clock = createClock();
    const upkeep = startTableMaintenance({ engine, tables, db, clock, log: silentLog });
    const measured = await sendLoad({
      origin: engine.url,
      requests: Array.from({ length: USERS }, (_, n) => put(tables[0]!.name, `user-${n}`)),
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

function put(TableName: string, user: string): Request {
  const row = LikeRow.item("img_00000000000000000000000000", user, new Date().toISOString());
  return {
    method: "POST",
    path: "/",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.PutItem",
      "x-amz-date": "20260101T000000Z",
      // the engine requires a signature and does not verify it
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
