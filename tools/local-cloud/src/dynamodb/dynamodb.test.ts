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
import { startTestTable } from "./dynamodb.fixture.ts";

const TableName = "app-dev-Things";
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: "a" } });

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynamo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("an item is still stored after a restart", async () => {
  const before = await startTestTable([], { folder: temporary() });
  const client = new DynamoDBClient(before.as("operator"));
  await client.send(new PutItemCommand({ TableName, Item: key("kept") }));
  client.destroy();
  await before.close({ keep: true });

  const after = await startTestTable([], { folder: before.folder });
  const again = new DynamoDBClient(after.as("operator"));
  const { Item } = await again.send(new GetItemCommand({ TableName, Key: key("kept") }));
  expect(Item).toEqual(key("kept"));
  again.destroy();
  await after.close();
});

test("the start fails if a stored table has other keys than in the graph, and the error names both", async () => {
  const before = await startTestTable([], { folder: temporary() });
  await before.close({ keep: true });
  const other = { rangeKey: "gsi1pk", globalSecondaryIndexes: [] };
  await expect(startTestTable([], { folder: before.folder, table: other })).rejects.toThrow(
    "The stored table app-dev-Things has other keys, indexes or stream than in the resource graph (stored pk:S+sk:S, gsi1 gsi1pk:S, NEW_AND_OLD_IMAGES, graph pk:S+gsi1pk:S, NEW_AND_OLD_IMAGES)",
  );
});

test("an item is deleted after it expires, and its stream record names DynamoDB as the caller", async () => {
  const testTable = await startTestTable([], { folder: temporary() });
  const client = new DynamoDBClient(testTable.as("operator"));
  const streams = new DynamoDBStreamsClient(testTable.as("operator"));
  const second = Math.floor(testTable.clock.now() / 1000);
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

  await testTable.dynamo.sweep();
  expect(await isThere("soon")).toBe(true);
  await testTable.clock.advance(61_000);
  await testTable.dynamo.sweep();

  expect(await Promise.all(["soon", "later", "six years ago", "never"].map(isThere))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  await client.send(new PutItemCommand({ TableName, Item: key("x") }));
  const removed = (await testTable.records(streams)).filter(
    ({ eventName }) => eventName === "REMOVE",
  );
  expect(removed.map(({ dynamodb, userIdentity }) => [dynamodb?.Keys, userIdentity])).toEqual([
    [key("soon"), { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" }],
  ]);
  client.destroy();
  streams.destroy();
  await testTable.close();
});

test("stream records are deleted after a day, except the newest, from which the next is numbered", async () => {
  const testTable = await startTestTable([], { folder: temporary() });
  const client = new DynamoDBClient(testTable.as("operator"));
  const streams = new DynamoDBStreamsClient(testTable.as("operator"));
  for (const pk of ["1", "2", "3"])
    await client.send(new PutItemCommand({ TableName, Item: key(pk) }));
  await testTable.clock.advance(25 * 3600_000);
  await testTable.dynamo.sweep();
  client.destroy();

  const file = new DatabaseSync(join(testTable.folder, "dynamo.db"), { readOnly: true });
  const kept = file.prepare("SELECT sequence_number FROM _stream_records").all();
  expect(kept).toEqual([{ sequence_number: "3" }]);
  file.close();
  streams.destroy();
  await testTable.close();
});

/** Starts another process that starts an engine in the folder, and returns both process ids. */
async function startInOtherProcess(folder: string) {
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
  "the engine exits with its parent, also if only the parent is killed",
  async () => {
    const testTable = await startTestTable([], { folder: temporary() });
    await testTable.close({ keep: true });
    const { parent, engine } = await startInOtherProcess(testTable.folder);
    expect(isAlive(engine)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(engine), { timeout: 10_000, interval: 10 }).toBe(false);
  },
);

test.runIf(process.platform === "linux")(
  "an engine that outlived its parent is killed before a new one opens the file, but another process with its id is not",
  async () => {
    const testTable = await startTestTable([], { folder: temporary() });
    await testTable.close({ keep: true });
    const { parent, engine } = await startInOtherProcess(testTable.folder);
    const next = await startEngine({ folder: testTable.folder, log: silentLog, env: {} });
    // a killed process exists until its parent has taken its exit code
    await expect.poll(() => isAlive(engine)).toBe(false);
    expect(await next.call("ListTables", {})).toEqual({ TableNames: [TableName] });
    await next.close();
    parent.kill("SIGKILL");

    writeFileSync(join(testTable.folder, "dynamo.pid"), String(process.ppid));
    const last = await startEngine({ folder: testTable.folder, log: silentLog, env: {} });
    expect(isAlive(process.ppid)).toBe(true);
    await last.close();
  },
);

test("an engine that crashes is restarted on the same port and file", async () => {
  const testTable = await startTestTable([], { folder: temporary() });
  const client = new DynamoDBClient({ ...testTable.as("operator"), maxAttempts: 10 });
  await client.send(new PutItemCommand({ TableName, Item: key("kept") }));
  process.kill(Number(readFileSync(join(testTable.folder, "dynamo.pid"), "utf8")), "SIGKILL");
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: key("kept") }));
  expect(Item).toEqual(key("kept"));
  client.destroy();
  await testTable.close();
});

test("a given engine is used as it is, and the start fails if the given binary does not exist", async () => {
  const testTable = await startTestTable([], { folder: temporary() });
  await testTable.close({ keep: true });
  const inner = await startEngine({ folder: testTable.folder, log: silentLog, env: {} });
  const outer = await startEngine({
    folder: "/nowhere",
    log: silentLog,
    env: { AWS_ENDPOINT_URL_DYNAMODB: inner.url },
  });
  expect(await outer.call("ListTables", {})).toEqual({ TableNames: [TableName] });
  await outer.close();
  await inner.close();
  await expect(
    startEngine({ folder: testTable.folder, log: silentLog, env: { DYNOXIDE_BIN: "/nowhere" } }),
  ).rejects.toThrow("DYNOXIDE_BIN names /nowhere, which does not exist");
});
