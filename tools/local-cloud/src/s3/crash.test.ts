import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, test, vi } from "vitest";

import { openState, region } from "./s3.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "s3-crash-"));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

// sizes, contents and moments of the kills follow from it; set SEED to repeat a run
const seed = process.env["SEED"] ?? String(randomInt(2 ** 32));

/** Returns a number from 0 to 1 that depends on the seed and the label alone, not on the order of the writers. */
const random = (label: string) =>
  createHash("sha256").update(`${seed} ${label}`).digest().readUInt32BE() / 2 ** 32;

const randomBody = (label: string) =>
  createHash("shake256", { outputLength: 1000 + Math.floor(random(label) * 200_000) })
    .update(`${seed} ${label}`)
    .digest();

test(`a server that is killed while it writes keeps every acknowledged object and has no event without its object (SEED=${seed})`, async () => {
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < 5; round++) {
    const { client, kill } = await start();
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let count = 0; ; count++) {
        const Key = `${round}/${writer}/${count}`;
        const Body = randomBody(Key);
        await client.send(new PutObjectCommand({ Bucket: "pictures", Key, Body }));
        acknowledged.set(Key, createHash("md5").update(Body).digest("hex"));
      }
    });
    const ends = Promise.allSettled(writers);
    const before = acknowledged.size;
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(before + 5), 10_000);
    await wait(random(`kill ${round}`) * 200);
    await kill();
    await ends;
    client.destroy();
  }

  const { client, kill } = await start();
  expect(acknowledged.size).toBeGreaterThan(20);
  for (const [Key, md5] of acknowledged) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: "pictures", Key }));
    const bytes = await Body!.transformToByteArray();
    expect(createHash("md5").update(bytes).digest("hex")).toBe(md5);
  }
  const stored = new Map<string, string>();
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: "pictures", ContinuationToken: token }),
    );
    for (const { Key, ETag } of page.Contents ?? []) stored.set(Key!, ETag!.replaceAll('"', ""));
    token = page.NextContinuationToken;
  } while (token);
  await kill();
  client.destroy();

  const db = openState(folder);
  const events = db.prepare("SELECT key, etag FROM test_event").all();
  db.close();
  expect(new Map(events.map(({ key, etag }) => [String(key), String(etag)]))).toEqual(stored);
  expect(events).toHaveLength(stored.size);
  const blobs = readdirSync(join(folder, "blobs"), { recursive: true }).filter(
    (name) => String(name).length > 3,
  );
  expect(blobs).toHaveLength(stored.size);
}, 60_000);

async function start() {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./crash.fixture.ts", import.meta.url)), folder],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  running.add(child);
  child.once("exit", () => running.delete(child));
  const [line] = await once(createInterface(child.stdout), "line");
  const { endpoint, ...credentials } = JSON.parse(line);
  const client = new S3Client({
    region,
    endpoint,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  const kill = async () => {
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  };
  return { client, kill };
}
