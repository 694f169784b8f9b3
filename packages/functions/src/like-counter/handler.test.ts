import * as Image from "@balde/core/image";
import * as Like from "@balde/core/like";
import * as LikeRow from "@balde/core/like.row";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as, readyImage } from "../../../core/test/samples.ts";
import { handler } from "./handler.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const count = (Records: DynamoDBRecord[]) => handler({ Records } as DynamoDBStreamEvent);

let sequence = 10n ** 24n;

/** As the stream tells of one row. */
const record = (
  eventName: NonNullable<DynamoDBRecord["eventName"]>,
  { pk, sk }: { pk: string; sk: string },
  SequenceNumber = String(sequence++),
): DynamoDBRecord => ({
  eventName,
  eventSource: "aws:dynamodb",
  dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber },
});

test("an image shows how many like it, from what the stream tells of all rows of the table", async () => {
  const [first, second] = [await readyImage(), await readyImage()];
  for (const who of ["ann", "bo", "cy"]) await as(who, () => Like.put(first));
  await as("bo", () => Like.remove(first));
  await as("ann", () => Like.put(second));
  const records = [
    record("MODIFY", { pk: `IMAGE#${first}`, sk: "META" }),
    ...["ann", "bo", "cy"].map((who) => record("INSERT", LikeRow.key(first, who))),
    record("REMOVE", LikeRow.key(first, "bo")),
    record("INSERT", LikeRow.key(second, "ann")),
    record("INSERT", { pk: `IMAGE#${second}`, sk: "COUNT" }),
  ];
  expect(await count(records)).toEqual({ batchItemFailures: [] });
  expect(await count(records)).toEqual({ batchItemFailures: [] });
  expect([(await Image.get(first)).likes, (await Image.get(second)).likes]).toEqual([2, 1]);
});

test("a like that is taken back alone is counted too", async () => {
  const id = await readyImage();
  await as("ann", () => Like.put(id));
  await count([record("INSERT", LikeRow.key(id, "ann"))]);
  await as("ann", () => Like.remove(id));
  await count([record("REMOVE", LikeRow.key(id, "ann"))]);
  expect((await Image.get(id)).likes).toBe(0);
});

test("what cannot be counted is asked for again from the lowest number on", async () => {
  // no key of a table may be longer than 2,048 bytes
  const impossible = { pk: `LIKE#${"x".repeat(3_000)}#0`, sk: "USER#x" };
  const answer = await count([
    record("INSERT", impossible, "1000"),
    record("INSERT", impossible, "999"),
    record("INSERT", { pk: "LIKE#img_x#0", sk: "USER#x" }, "5"),
  ]);
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "999" }] });
});
