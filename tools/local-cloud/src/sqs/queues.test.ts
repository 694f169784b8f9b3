import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";

import {
  jobsWithDeadLetters,
  queue,
  queueArn,
  queuePolicy,
  createTestQueues,
} from "./queues.fixture.ts";

const jobs = queueArn("jobs");
const dead = queueArn("dead");
const bodies = (messages: { body: string }[]) => messages.map(({ body }) => body);

test("a received message is hidden for the visibility timeout and returns if it is not deleted", async () => {
  const { queues, clock } = createTestQueues();
  queues.send(jobs, "a");
  const [first] = queues.receive(jobs, 10);
  expect(first).toMatchObject({ body: "a", attributes: { ApproximateReceiveCount: "1" } });
  expect(queues.receive(jobs, 10)).toEqual([]);
  await clock.advance(299_000);
  expect(queues.receive(jobs, 10)).toEqual([]);
  await clock.advance(1_000);
  const [again] = queues.receive(jobs, 10);
  expect(again).toMatchObject({
    messageId: first?.messageId,
    attributes: { ApproximateReceiveCount: "2" },
  });
  queues.delete(jobs, again!.receiptHandle);
  await clock.advance(400_000);
  expect(queues.receive(jobs, 10)).toEqual([]);
});

test("a message moves to the dead-letter queue at the receive after its last one, and can be moved back", async () => {
  const { queues, clock } = createTestQueues();
  queues.send(jobs, "poison");
  for (let time = 0; time < 2; time++) {
    expect(bodies(queues.receive(jobs, 10))).toEqual(["poison"]);
    await clock.advance(300_000);
  }
  expect(queues.countMessages(dead).visible).toBe(0);
  expect(queues.receive(jobs, 10)).toEqual([]);
  expect(queues.countMessages(jobs)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  const [letter] = queues.receive(dead, 10, 0);
  expect(letter?.attributes).toMatchObject({
    DeadLetterQueueSourceArn: jobs,
    ApproximateReceiveCount: "1",
  });

  expect(queues.startMoveTask(dead)).toMatchObject({ status: "COMPLETED", moved: 1, total: 1 });
  expect(queues.countMessages(dead).visible).toBe(0);
  expect(queues.receive(jobs, 10)).toMatchObject([
    { body: "poison", attributes: { ApproximateReceiveCount: "1" } },
  ]);
});

test("a move task needs a dead-letter queue and fails for a message whose source is unknown", () => {
  const { queues } = createTestQueues();
  expect(() => queues.startMoveTask(jobs)).toThrow("must be configured as a Dead Letter Queue");
  queues.send(dead, "from nowhere");
  expect(queues.startMoveTask(dead)).toMatchObject({
    status: "FAILED",
    failure: "CouldNotDetermineMessageSource",
  });
  expect(queues.startMoveTask(dead, jobs)).toMatchObject({ status: "COMPLETED", moved: 1 });
  expect(bodies(queues.receive(jobs, 1))).toEqual(["from nowhere"]);
  expect(queues.listMoveTasks(dead).map(({ status }) => status)).toEqual(["COMPLETED", "FAILED"]);
});

test("counts follow delays, receives and a purge", async () => {
  const { queues, clock } = createTestQueues();
  queues.send(jobs, "a");
  queues.send(jobs, "b");
  queues.send(jobs, "later", { delaySeconds: 60 });
  queues.receive(jobs, 1);
  expect(queues.countMessages(jobs)).toEqual({ visible: 1, inFlight: 1, delayed: 1 });
  await clock.advance(60_000);
  expect(queues.countMessages(jobs)).toEqual({ visible: 2, inFlight: 1, delayed: 0 });
  queues.purge(jobs);
  expect(queues.countMessages(jobs)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
});

test("a message is deleted when its retention ends", async () => {
  const { queues, clock } = createTestQueues([queue("brief", { messageRetentionSeconds: 60 })]);
  queues.send(queueArn("brief"), "a");
  await clock.advance(60_000);
  expect(queues.receive(queueArn("brief"), 1)).toEqual([]);
});

test("the visibility timeout can be changed while a message is in flight, and 0 makes it visible at once", async () => {
  const { queues, clock } = createTestQueues();
  queues.send(jobs, "a");
  const [message] = queues.receive(jobs, 1);
  queues.changeVisibility(jobs, message!.receiptHandle, 600);
  await clock.advance(301_000);
  expect(queues.receive(jobs, 1)).toEqual([]);
  queues.changeVisibility(jobs, message!.receiptHandle, 0);
  const [again] = queues.receive(jobs, 1);
  expect(again?.body).toBe("a");
  const stale = () => queues.changeVisibility(jobs, message!.receiptHandle, 5);
  expect(stale).toThrow("not available for visibility timeout change");
});

test("an old receipt handle deletes nothing and an invalid one is rejected", async () => {
  const { queues, clock } = createTestQueues();
  queues.send(jobs, "a");
  const [old] = queues.receive(jobs, 1);
  await clock.advance(300_000);
  const [current] = queues.receive(jobs, 1);
  queues.delete(jobs, old!.receiptHandle);
  expect(queues.countMessages(jobs).inFlight).toBe(1);
  queues.delete(jobs, current!.receiptHandle);
  expect(queues.countMessages(jobs).inFlight).toBe(0);
  queues.delete(jobs, current!.receiptHandle);
  expect(() => queues.delete(jobs, "junk")).toThrow("not a valid receipt handle");
});

test("a send joins the transaction that is open", async () => {
  const { queues, db } = createTestQueues();
  let arrivals = 0;
  queues.onMessages(jobs, () => arrivals++);
  db.exec("BEGIN");
  queues.send(jobs, "a");
  db.exec("ROLLBACK");
  expect(queues.countMessages(jobs).visible).toBe(0);
  db.exec("BEGIN");
  queues.send(jobs, "b");
  expect(arrivals).toBe(0);
  db.exec("COMMIT");
  await turn();
  expect(arrivals).toBe(1);
  expect(bodies(queues.receive(jobs, 10))).toEqual(["b"]);
});

test("a poll ends when a message arrives, when a hidden one becomes visible, and when its time is up", async () => {
  const { queues, clock } = createTestQueues();
  const poll = () => queues.poll(jobs, { max: 10, waitSeconds: 20 });
  const arriving = poll();
  queues.send(jobs, "a");
  expect(bodies(await arriving)).toEqual(["a"]);

  await clock.advance(290_000);
  const reappearing = poll();
  await clock.advance(10_000);
  expect(bodies(await reappearing)).toEqual(["a"]);

  const idle = poll();
  await clock.advance(20_000);
  expect(await idle).toEqual([]);
});

test("an aborted poll receives nothing", async () => {
  const { queues } = createTestQueues();
  const caller = new AbortController();
  const polling = queues.poll(jobs, { max: 10, waitSeconds: 20, signal: caller.signal });
  caller.abort();
  queues.send(jobs, "a");
  expect(await polling).toEqual([]);
  expect(queues.countMessages(jobs)).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
});

test("an undone receive is not counted", () => {
  const { queues } = createTestQueues();
  queues.send(jobs, "a");
  queues.undoReceive(queues.receive(jobs, 1).map(({ receiptHandle }) => receiptHandle));
  expect(queues.receive(jobs, 1)[0]?.attributes["ApproximateReceiveCount"]).toBe("1");
});

test("a queue that cannot be emulated stops the start with its name", () => {
  expect(() => createTestQueues([jobsWithDeadLetters()[0]!])).toThrow(
    `${dead}, which is not in the graph`,
  );
  const allow = (Action: string) => ({ Effect: "Allow", Principal: "*", Action, Resource: "*" });
  expect(() =>
    createTestQueues([
      queue("q"),
      queuePolicy("q", allow("sqs:SendMessage")),
      queuePolicy("q", allow("sqs:*")),
    ]),
  ).toThrow("several policies");
});

test("messages that were sent before a SIGKILL are there after it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "queue-"));
  const file = join(folder, "state.sqlite");
  const script = `import { DatabaseSync } from "node:sqlite";
    import { createTestQueues, queueArn, jobsWithDeadLetters } from ${JSON.stringify(import.meta.resolve("./queues.fixture.ts"))};
    const db = new DatabaseSync(${JSON.stringify(file)});
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    const { queues } = createTestQueues(jobsWithDeadLetters(), db);
    for (let n = 1; ; n++) { queues.send(queueArn("jobs"), String(n)); process.stdout.write(n + "\\n"); }`;
  const sender = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    // a test that fails must not leave it running
    timeout: 50_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  sender.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.length > 2_000) sender.kill("SIGKILL");
  });
  await once(sender, "close");
  const acknowledged = Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1));
  const { queues, db } = createTestQueues(jobsWithDeadLetters(), new DatabaseSync(file));
  expect(queues.countMessages(jobs).visible).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged).toBeGreaterThan(100);
  db.close();
  rmSync(folder, { recursive: true });
}, 60_000);
