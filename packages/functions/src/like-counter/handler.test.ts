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

const deliver = (Records: DynamoDBRecord[]) => handler({ Records } as DynamoDBStreamEvent);

let nextSequenceNumber = 10n ** 24n;

/** A record of the stream about one row. */
const record = (
  eventName: NonNullable<DynamoDBRecord["eventName"]>,
  { pk, sk }: { pk: string; sk: string },
  SequenceNumber = String(nextSequenceNumber++),
): DynamoDBRecord => ({
  eventName,
  eventSource: "aws:dynamodb",
  dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber },
});

test("the likes of an image are counted from the stream, which has the changes of all rows", async () => {
  const [first, second] = [await readyImage(), await readyImage()];
  for (const user of ["ann", "bo", "cy"]) await as(user, () => Like.put(first));
  await as("bo", () => Like.remove(first));
  await as("ann", () => Like.put(second));
  const records = [
    record("MODIFY", { pk: `IMAGE#${first}`, sk: "META" }),
    ...["ann", "bo", "cy"].map((user) => record("INSERT", LikeRow.key(first, user))),
    record("REMOVE", LikeRow.key(first, "bo")),
    record("INSERT", LikeRow.key(second, "ann")),
    record("INSERT", { pk: `IMAGE#${second}`, sk: "COUNT" }),
  ];
  expect(await deliver(records)).toEqual({ batchItemFailures: [] });
  expect(await deliver(records)).toEqual({ batchItemFailures: [] });
  expect([(await Image.get(first)).likes, (await Image.get(second)).likes]).toEqual([2, 1]);
});

test("a removed like is counted down, also in a batch of its own", async () => {
  const id = await readyImage();
  await as("ann", () => Like.put(id));
  await deliver([record("INSERT", LikeRow.key(id, "ann"))]);
  await as("ann", () => Like.remove(id));
  await deliver([record("REMOVE", LikeRow.key(id, "ann"))]);
  expect((await Image.get(id)).likes).toBe(0);
});

test("after a failure the stream is delivered again from the lowest sequence number that failed", async () => {
  // DynamoDB refuses a partition key of more than 2,048 bytes
  const impossible = { pk: `LIKE#${"x".repeat(3_000)}#0`, sk: "USER#x" };
  const response = await deliver([
    record("INSERT", impossible, "1000"),
    record("INSERT", impossible, "999"),
    record("INSERT", { pk: "LIKE#img_x#0", sk: "USER#x" }, "5"),
  ]);
  expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "999" }] });
});
