import { text } from "node:stream/consumers";

import * as Image from "@balde/core/image";
import * as Like from "@balde/core/like";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../core/test/cloud.ts";
import { as, readyImage } from "../../core/test/make.ts";
import { handler } from "./count.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud({ hasStream: true })));
afterAll(() => cloud.stop());

const ask = async (operation: string, input: object) =>
  JSON.parse(
    await text(
      await cloud.engine.pass(`DynamoDBStreams_20120810.${operation}`, JSON.stringify(input)),
    ),
  );

/** Everything that the table's own stream tells, from its beginning. */
async function streamed(): Promise<DynamoDBRecord[]> {
  const { Streams } = await ask("ListStreams", { TableName: "data" });
  const { StreamArn } = Streams[0];
  const { StreamDescription } = await ask("DescribeStream", { StreamArn });
  const records: DynamoDBRecord[] = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const start = { StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" };
    let { ShardIterator } = await ask("GetShardIterator", start);
    for (;;) {
      const { Records, NextShardIterator } = await ask("GetRecords", { ShardIterator });
      if (Records.length === 0) break;
      records.push(...Records);
      ShardIterator = NextShardIterator;
    }
  }
  return records;
}

const count = (Records: DynamoDBRecord[]) => handler({ Records } as DynamoDBStreamEvent);

test("an image shows how many like it, from what the table's stream tells of all rows", async () => {
  const [first, second] = [await readyImage(), await readyImage()];
  for (const who of ["ann", "bo", "cy"]) await as(who, () => Like.put(first));
  await as("bo", () => Like.remove(first));
  await as("ann", () => Like.put(second));

  const records = await streamed();
  expect(await count(records)).toEqual({ batchItemFailures: [] });
  expect(await count(records)).toEqual({ batchItemFailures: [] });
  expect([(await Image.get(first)).likes, (await Image.get(second)).likes]).toEqual([2, 1]);
});

test("what cannot be counted is asked for again from the lowest number on", async () => {
  const like = (SequenceNumber: string, imageId: string): DynamoDBRecord => ({
    eventName: "INSERT",
    dynamodb: { SequenceNumber, Keys: { pk: { S: `LIKE#${imageId}#0` }, sk: { S: "USER#x" } } },
  });
  // no key of a table may be longer than 2,048 bytes
  const impossible = "x".repeat(3_000);
  const answer = await count([
    like("1000", impossible),
    like("999", impossible),
    like("5", "img_x"),
  ]);
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "999" }] });
});
