import type { Answer } from "./engine.ts";
import type { Table } from "./tables.ts";

/** Translates between the stream ARNs of the graph and those of the engine. */
export type Streams = {
  toEngine(arn: string): string;
  fromEngine(arn: string): string;
};

/** A shard iterator starts with the ARN of its stream, as on AWS, so that GetRecords can check the permission on that stream. */
export const shardIterator = {
  wrap: (streamArn: string, inner: string) => `${streamArn}|1|${inner}`,
  unwrap(outer: unknown): { streamArn: string; inner: string } | undefined {
    const [streamArn, version, inner] = String(outer).split("|");
    return streamArn && version === "1" && inner ? { streamArn, inner } : undefined;
  },
};

/** Removes the last sequence number, which an open shard does not have: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_SequenceNumberRange.html */
export function describeStream(answer: Answer): Answer {
  const shards = answer["StreamDescription"].Shards.map((shard: Answer) => ({
    ...shard,
    SequenceNumberRange: {
      StartingSequenceNumber: shard["SequenceNumberRange"].StartingSequenceNumber,
    },
  }));
  return { ...answer, StreamDescription: { ...answer["StreamDescription"], Shards: shards } };
}

/**
 * Returns the records as DynamoDB writes them: none for a write that changed nothing, and with `userIdentity` for an item
 * that the time to live removed. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
 */
export function getRecords(
  answer: Answer,
  { region, table, hasExpired }: { region: string; table?: Table; hasExpired: HasExpired },
): Answer {
  const records = answer["Records"]
    .filter((record: Answer) => !isUnchanged(record))
    .map((record: Answer) => ({
      ...record,
      awsRegion: region,
      ...(table && record["eventName"] === "REMOVE" && hasExpired(table, record["dynamodb"])
        ? { userIdentity: { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" } }
        : {}),
    }));
  return { ...answer, Records: records };
}

/** Returns whether the time to live removed the item, not a caller. */
export type HasExpired = (table: Table, change: Answer) => boolean;

function isUnchanged({ eventName, dynamodb }: Answer): boolean {
  return (
    eventName === "MODIFY" &&
    dynamodb.OldImage !== undefined &&
    dynamodb.NewImage !== undefined &&
    canonicalJson(dynamodb.OldImage) === canonicalJson(dynamodb.NewImage)
  );
}

/** Returns JSON with sorted keys and sorted sets, so that equal items give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (Array.isArray(inner))
      return /^[SNB]S$/.test(key) ? inner.map(String).toSorted(compare) : inner;
    if (inner === null || typeof inner !== "object") return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => compare(a, b)));
  });
}

const compare = (a: string, b: string) => (a < b ? -1 : 1);
