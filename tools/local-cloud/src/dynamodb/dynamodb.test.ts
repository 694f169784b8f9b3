import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";

import { silentLog } from "../log.ts";
import { startEngine } from "./engine.ts";
import { tableWorld } from "./dynamodb.fixture.ts";

const TableName = "app-dev-Things";
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: "a" } });

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynamo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("what was written is there after a restart", async () => {
  const before = await tableWorld([], { folder: temporary() });
  const client = new DynamoDBClient(before.as("operator"));
  await client.send(new PutItemCommand({ TableName, Item: key("kept") }));
  client.destroy();
  await before.close({ keep: true });

  const after = await tableWorld([], { folder: before.folder });
  const again = new DynamoDBClient(after.as("operator"));
  const { Item } = await again.send(new GetItemCommand({ TableName, Key: key("kept") }));
  expect(Item).toEqual(key("kept"));
  again.destroy();
  await after.close();
});

test("a table that was made with other keys is refused in a sentence that names both", async () => {
  const before = await tableWorld([], { folder: temporary() });
  await before.close({ keep: true });
  const other = { rangeKey: "gsi1pk", globalSecondaryIndexes: [] };
  await expect(tableWorld([], { folder: before.folder, table: other })).rejects.toThrow(
    "The table app-dev-Things was made with other keys, indexes or stream than the graph now says (pk:S+sk:S, gsi1 gsi1pk:S, NEW_AND_OLD_IMAGES, not pk:S+gsi1pk:S, NEW_AND_OLD_IMAGES)",
  );
});

test("an item goes when the clock passes its expiry, and the stream says who removed it", async () => {
  const world = await tableWorld([], { folder: temporary() });
  const client = new DynamoDBClient(world.as("operator"));
  const streams = new DynamoDBStreamsClient(world.as("operator"));
  const second = Math.floor(world.clock.now() / 1000);
  const expiring = (pk: string, at: number) =>
    client.send(
      new PutItemCommand({ TableName, Item: { ...key(pk), expiresAt: { N: String(at) } } }),
    );
  const isThere = async (pk: string) =>
    (await client.send(new GetItemCommand({ TableName, Key: key(pk) }))).Item !== undefined;
  await expiring("soon", second + 60);
  await expiring("later", second + 3600);
  await expiring("six years ago", second - 6 * 365 * 86_400);
  await client.send(new PutItemCommand({ TableName, Item: key("never") }));

  await world.dynamo.sweep();
  expect(await isThere("soon")).toBe(true);
  await world.clock.advance(61_000);
  await world.dynamo.sweep();

  expect(await Promise.all(["soon", "later", "six years ago", "never"].map(isThere))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  await client.send(new PutItemCommand({ TableName, Item: key("x") }));
  const removed = (await world.records(streams)).filter(({ eventName }) => eventName === "REMOVE");
  expect(removed.map(({ dynamodb, userIdentity }) => [dynamodb?.Keys, userIdentity])).toEqual([
    [key("soon"), { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" }],
  ]);
  client.destroy();
  streams.destroy();
  await world.close();
});

test("stream records go after a day, except the newest, whose number the next one follows", async () => {
  const world = await tableWorld([], { folder: temporary() });
  const client = new DynamoDBClient(world.as("operator"));
  const streams = new DynamoDBStreamsClient(world.as("operator"));
  for (const pk of ["1", "2", "3"])
    await client.send(new PutItemCommand({ TableName, Item: key(pk) }));
  await world.clock.advance(25 * 3600_000);
  await world.dynamo.sweep();
  client.destroy();

  const file = new DatabaseSync(join(world.folder, "dynamo.db"), { readOnly: true });
  const kept = file.prepare("SELECT sequence_number FROM _stream_records").all();
  expect(kept).toEqual([{ sequence_number: "3" }]);
  file.close();
  streams.destroy();
  await world.close();
});

/** A process that starts an engine in the folder and tells its process id. */
async function startElsewhere(folder: string) {
  const script = `import { startEngine } from ${JSON.stringify(import.meta.resolve("./engine.ts"))};
    import { silentLog } from ${JSON.stringify(import.meta.resolve("../log.ts"))};
    await startEngine({ folder: ${JSON.stringify(folder)}, log: silentLog, env: {} });
    console.log("up");
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  await once(parent.stdout, "data");
  return { parent, engine: Number(readFileSync(join(folder, "dynamo.pid"), "utf8")) };
}

const isAlive = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

test.runIf(process.platform === "linux")(
  "the engine dies with its parent, even when only the parent is killed",
  async () => {
    const world = await tableWorld([], { folder: temporary() });
    await world.close({ keep: true });
    const { parent, engine } = await startElsewhere(world.folder);
    expect(isAlive(engine)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(engine), { timeout: 10_000, interval: 10 }).toBe(false);
  },
);

test.runIf(process.platform === "linux")(
  "an engine that outlived its parent is ended before a new one opens the file, a stranger is not",
  async () => {
    const world = await tableWorld([], { folder: temporary() });
    await world.close({ keep: true });
    const { parent, engine } = await startElsewhere(world.folder);
    const next = await startEngine({ folder: world.folder, log: silentLog, env: {} });
    expect(isAlive(engine)).toBe(false);
    expect(await next.call("ListTables", {})).toEqual({ TableNames: [TableName] });
    await next.close();
    parent.kill("SIGKILL");

    writeFileSync(join(world.folder, "dynamo.pid"), String(process.ppid));
    const last = await startEngine({ folder: world.folder, log: silentLog, env: {} });
    expect(isAlive(process.ppid)).toBe(true);
    await last.close();
  },
);

test("an engine that crashes is started again on the same port and file", async () => {
  const world = await tableWorld([], { folder: temporary() });
  const client = new DynamoDBClient({ ...world.as("operator"), maxAttempts: 10 });
  await client.send(new PutItemCommand({ TableName, Item: key("kept") }));
  process.kill(Number(readFileSync(join(world.folder, "dynamo.pid"), "utf8")), "SIGKILL");
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: key("kept") }));
  expect(Item).toEqual(key("kept"));
  client.destroy();
  await world.close();
});

test("an engine from outside is used as it is; one that is nowhere is a clear sentence", async () => {
  const world = await tableWorld([], { folder: temporary() });
  await world.close({ keep: true });
  const inner = await startEngine({ folder: world.folder, log: silentLog, env: {} });
  const outer = await startEngine({
    folder: "/nowhere",
    log: silentLog,
    env: { AWS_ENDPOINT_URL_DYNAMODB: inner.url },
  });
  expect(await outer.call("ListTables", {})).toEqual({ TableNames: [TableName] });
  await outer.close();
  await inner.close();
  await expect(
    startEngine({ folder: world.folder, log: silentLog, env: { DYNOXIDE_BIN: "/nowhere" } }),
  ).rejects.toThrow("DYNOXIDE_BIN names /nowhere, which does not exist");
});
