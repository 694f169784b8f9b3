import type { Answer } from "./engine.ts";
import type { Table } from "./tables.ts";

/** Which stream of the engine stands for which stream of the graph. */
export type Streams = {
  toEngine(arn: string): string;
  fromEngine(arn: string): string;
};

/** A shard iterator names its stream in front, as AWS's do, so that reading it can be held to a right. */
export const iterator = {
  wrap: (streamArn: string, inner: string) => `${streamArn}|1|${inner}`,
  unwrap(outer: unknown): { streamArn: string; inner: string } | undefined {
    const [streamArn, version, inner] = String(outer).split("|");
    return streamArn && version === "1" && inner ? { streamArn, inner } : undefined;
  },
};

/** An open shard has no last number: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_SequenceNumberRange.html */
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
 * Records as DynamoDB writes them: none for a write that changed nothing, and one for an item that expired says who
 * removed it. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
 */
export function getRecords(
  answer: Answer,
  { region, table, hasExpired }: { region: string; table?: Table; hasExpired: HasExpired },
): Answer {
  const records = answer["Records"]
    .filter((record: Answer) => !changedNothing(record))
    .map((record: Answer) => ({
      ...record,
      awsRegion: region,
      ...(table && record["eventName"] === "REMOVE" && hasExpired(table, record["dynamodb"])
        ? { userIdentity: { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" } }
        : {}),
    }));
  return { ...answer, Records: records };
}

/** Whether the removal is the work of the sweep, not of a caller. */
export type HasExpired = (table: Table, change: Answer) => boolean;

function changedNothing({ eventName, dynamodb }: Answer): boolean {
  return (
    eventName === "MODIFY" &&
    dynamodb.OldImage !== undefined &&
    dynamodb.NewImage !== undefined &&
    canonical(dynamodb.OldImage) === canonical(dynamodb.NewImage)
  );
}

/** JSON with its keys in order, so that equal items are equal texts. Sets come in any order and are sorted. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (Array.isArray(inner))
      return /^[SNB]S$/.test(key) ? inner.map(String).toSorted(compare) : inner;
    if (inner === null || typeof inner !== "object") return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => compare(a, b)));
  });
}

const compare = (a: string, b: string) => (a < b ? -1 : 1);
