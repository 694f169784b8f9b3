import * as LikeCount from "@balde/core/like-count";
import * as LikeRow from "@balde/core/like.row";
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";

/** Counts the likes in a batch of the table's stream. After a failure, Lambda delivers the batch again from the returned sequence number on. */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const failed = await LikeCount.applyChanges(Records.flatMap(toChange));
  // one identifier is enough, because every record from the lowest one on is delivered again:
  // https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
  const lowest = failed.map(({ sequenceNumber }) => sequenceNumber).reduce(min, undefined);
  return { batchItemFailures: lowest === undefined ? [] : [{ itemIdentifier: lowest }] };
}

/** The change of a count that a record means; empty for a record of another row. */
function toChange({ eventName, dynamodb }: DynamoDBRecord): LikeCount.Change[] {
  const like = LikeRow.parsePartition(dynamodb?.Keys?.["pk"]?.S ?? "");
  const sequenceNumber = dynamodb?.SequenceNumber;
  // the row of a like is never modified: a second click does not write
  const delta = eventName === "INSERT" ? 1 : eventName === "REMOVE" ? -1 : 0;
  return like && sequenceNumber && delta ? [{ ...like, sequenceNumber, delta }] : [];
}

/** Sequence numbers are decimal and of different lengths. */
const min = (lowest: string | undefined, next: string) =>
  lowest === undefined || BigInt(next) < BigInt(lowest) ? next : lowest;
