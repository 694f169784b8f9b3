import * as LikeCount from "@balde/core/like-count";
import * as LikeRow from "@balde/core/like.row";
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";

/** Reads the table's stream and keeps the number of likes beside each image. */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const failed = await LikeCount.applyChanges(Records.flatMap(change));
  // Lambda hands out everything from the lowest one again, so that one is enough:
  // https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
  const lowest = failed.map(({ sequenceNumber: sequence }) => sequence).reduce(lower, undefined);
  return { batchItemFailures: lowest === undefined ? [] : [{ itemIdentifier: lowest }] };
}

function change({ eventName, dynamodb }: DynamoDBRecord): LikeCount.Change[] {
  const like = LikeRow.parsePartition(dynamodb?.Keys?.["pk"]?.S ?? "");
  const sequence = dynamodb?.SequenceNumber;
  // a row of a like never changes: who clicks again does not write
  const by = eventName === "INSERT" ? 1 : eventName === "REMOVE" ? -1 : 0;
  return like && sequence && by ? [{ ...like, sequenceNumber: sequence, delta: by }] : [];
}

const lower = (lowest: string | undefined, next: string) =>
  lowest === undefined || BigInt(next) < BigInt(lowest) ? next : lowest;
