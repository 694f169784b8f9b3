import type { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";

import type { Clock } from "../../clock.ts";
import type { Principal } from "../../iam/principals.ts";
import type { Functions } from "../functions.ts";
import { MAX_REQUEST_BYTES } from "../invoke-result.ts";
import type { Log } from "../../log.ts";
import { StartError } from "../../start-error.ts";
import type { Resource, ResourceGraph } from "../../graph/resource-graph.ts";
import { type Checkpoints, openCheckpoints } from "./checkpoint.ts";
import { type Filter, filterOf } from "./event-filter.ts";
import type { Queues } from "../../sqs/queues.ts";
import { inTransaction } from "../../transaction.ts";
import { type Failure, type StreamSettings, sequenceOf, processBatch } from "./stream-batch.ts";
import { type StreamReader, type StreamRecord, createStreamReader } from "./stream-reader.ts";
import { repeatUntilAborted } from "./poll-loop.ts";

type Dependencies = {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
  /** Absent when the graph has no queue. */
  queues: Queues | undefined;
  functions: Pick<Functions, "invoke" | "names">;
  /** The function's role, which reads the stream. */
  principal: Principal;
  dynamoEndpoint: string;
};

/** Lambda polls four times a second. On a laptop a poll costs a millisecond, and a person waits. Real time: writers of the table do not use the virtual clock. */
const MIN_POLL_INTERVAL_MS = 15;
const MAX_POLL_INTERVAL_MS = 90;

/** The limit of GetRecords. */
const MAX_RECORDS = 1000;

/** Reads a table's stream for a function. The starting position is stored when the promise resolves, so no later write is missed. */
export async function startStreamMapping(
  mapping: Mapping,
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<{ ended: Promise<void> }> {
  const settings = read(mapping);
  const checkpoints = openCheckpoints(dependencies.db, mapping.id);
  const reader = createStreamReader({
    endpoint: dependencies.dynamoEndpoint,
    streamArn: settings.streamArn,
    region: dependencies.graph.region,
    credentials: dependencies.principal,
  });
  if (!checkpoints.exist()) await saveStartingPosition(mapping, checkpoints, reader);
  const filter = filterOf(mapping.inputs.filterCriteria);
  const run = { ...dependencies, settings, filter, checkpoints, reader, signal };
  const label = `${dependencies.functions.names[settings.functionArn]} reads ${settings.streamArn}`;
  const ended = repeatUntilAborted(() => followShards(run), { ...dependencies, signal, label });
  return { ended: ended.finally(() => reader.close()) };
}

type Mapping = Resource<"aws:lambda/eventSourceMapping:EventSourceMapping">;

function read({ name, inputs, outputs }: Mapping): StreamSettings {
  const onFailure = inputs.destinationConfig?.onFailure?.destinationArn;
  if (onFailure && !onFailure.startsWith("arn:aws:sqs:"))
    throw new StartError(
      `The event source mapping ${name} sends its failures to ${onFailure}: only queues are emulated.`,
    );
  const unlimited = (value: number | undefined) =>
    value === undefined || value < 0 ? Infinity : value;
  return {
    streamArn: inputs.eventSourceArn,
    functionArn: outputs.functionArn ?? inputs.functionName,
    batchSize: inputs.batchSize ?? 100,
    windowMs: 1000 * (inputs.maximumBatchingWindowInSeconds ?? 0),
    bisects: inputs.bisectBatchOnFunctionError ?? false,
    reports: (inputs.functionResponseTypes ?? []).includes("ReportBatchItemFailures"),
    maximumRetries: unlimited(inputs.maximumRetryAttempts),
    maximumAgeMs: 1000 * unlimited(inputs.maximumRecordAgeInSeconds),
    onFailure,
  };
}

async function saveStartingPosition(
  { name, inputs }: Mapping,
  checkpoints: Checkpoints,
  reader: StreamReader,
) {
  const { startingPosition } = inputs;
  if (!startingPosition)
    throw new StartError(
      `The event source mapping ${name} reads a stream and needs a startingPosition.`,
    );
  for (const { ShardId } of await reader.shards()) {
    const last = startingPosition === "LATEST" ? await lastRecordOf(ShardId, reader) : undefined;
    checkpoints.save(ShardId, last && sequenceOf(last));
  }
}

async function lastRecordOf(shard: string, reader: StreamReader) {
  let last: StreamRecord | undefined;
  let next: string | undefined = await reader.iterator(shard, undefined);
  while (next) {
    const page: Awaited<ReturnType<StreamReader["records"]>> = await reader.records(
      next,
      MAX_RECORDS,
    );
    if (page.records.length === 0) break;
    last = page.records.at(-1);
    next = page.next;
  }
  return last;
}

type Run = Dependencies & {
  settings: StreamSettings;
  filter: Filter;
  checkpoints: Checkpoints;
  reader: StreamReader;
  signal: AbortSignal;
};

async function followShards(run: Run) {
  const shards = await run.reader.shards();
  const open = shards.find(({ ShardId }) => !run.checkpoints.get(ShardId).isFinished);
  if (open) await followShard(open.ShardId, run);
  else await wait(MAX_POLL_INTERVAL_MS, undefined, { signal: run.signal });
}

/** Returns at the end of a shard that is closed. */
async function followShard(shard: string, run: Run) {
  const { checkpoints, reader, settings, signal } = run;
  let next: string | undefined = await iteratorAfterCheckpoint(shard, run);
  let pause = MIN_POLL_INTERVAL_MS;
  while (next) {
    const page = await reader.records(next, Math.min(settings.batchSize, MAX_RECORDS));
    next = page.next;
    if (page.records.length === 0) {
      if (next) await wait(pause, undefined, { signal });
      pause = Math.min(MAX_POLL_INTERVAL_MS, pause * 1.2);
      continue;
    }
    pause = MIN_POLL_INTERVAL_MS;
    const collected = await collectBatch(page.records, next, run);
    next = collected.next;
    await processRecords(shard, collected.records, run);
  }
  checkpoints.finish(shard);
}

async function iteratorAfterCheckpoint(shard: string, { checkpoints, reader, log }: Run) {
  const { sequence } = checkpoints.get(shard);
  try {
    return await reader.iterator(shard, sequence);
  } catch (error) {
    if ((error as Error).name !== "TrimmedDataAccessException") throw error;
    log.warn(`Records of ${shard} were trimmed before they were read`);
    return reader.iterator(shard, undefined);
  }
}

/** Collects records until the batching window is over or the batch is full. The window starts with the first record. */
async function collectBatch(records: StreamRecord[], next: string | undefined, run: Run) {
  const { settings, clock, reader, signal } = run;
  const closes = clock.now() + settings.windowMs;
  while (next && records.length < settings.batchSize && clock.now() < closes) {
    await wait(MIN_POLL_INTERVAL_MS, undefined, { signal });
    const limit = Math.min(settings.batchSize - records.length, MAX_RECORDS);
    const page = await reader.records(next, limit);
    records.push(...page.records);
    next = page.next;
  }
  return { records, next };
}

async function processRecords(shard: string, records: StreamRecord[], run: Run) {
  const { checkpoints, filter, functions, settings, graph, clock, signal } = run;
  for (const batch of splitBySize(records.filter((record) => filter(record))))
    await processBatch(batch, {
      settings,
      region: graph.region,
      clock,
      functions,
      signal,
      onProcessed: (upTo) => checkpoints.save(shard, sequenceOf(upTo)),
      onDiscarded: (lost, why) => discard(shard, lost, why, run),
    });
  checkpoints.save(shard, sequenceOf(records.at(-1)!));
}

/** Returns batches of at most 6 MB, the limit of an event. */
function splitBySize(records: StreamRecord[]): StreamRecord[][] {
  const batches: StreamRecord[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    // Lambda adds the source of the record
    const size = Buffer.byteLength(JSON.stringify(record)) + 300;
    bytes += size;
    if (bytes > MAX_REQUEST_BYTES) {
      batches.push([]);
      bytes = size;
    }
    batches.at(-1)!.push(record);
  }
  return batches;
}

function discard(shard: string, records: StreamRecord[], why: Failure, run: Run) {
  const { settings, db, queues, checkpoints, functions, log } = run;
  const [first, last] = [records[0]!, records.at(-1)!];
  inTransaction(db, () => {
    if (settings.onFailure)
      queues!.send(settings.onFailure, JSON.stringify(description(shard, records, why, run)));
    checkpoints.save(shard, sequenceOf(last));
  });
  log.error(
    `${functions.names[settings.functionArn]}: ${records.length} records discarded, ${why.condition}`,
    { from: sequenceOf(first), to: sequenceOf(last), destination: settings.onFailure },
  );
}

/** Returns what the destination gets: metadata without the records. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html */
function description(
  shardId: string,
  records: StreamRecord[],
  why: Failure,
  { settings, clock }: Run,
) {
  const [first, last] = [records[0]!, records.at(-1)!];
  const arrival = ({ dynamodb }: StreamRecord) =>
    new Date(dynamodb.ApproximateCreationDateTime * 1000).toISOString();
  return {
    requestContext: {
      requestId: why.requestId,
      functionArn: settings.functionArn,
      condition: why.condition,
      approximateInvokeCount: why.invokes,
    },
    ...(why.result && {
      responseContext: {
        statusCode: why.result.kind === "throttled" ? 429 : 200,
        executedVersion: "$LATEST",
        functionError: why.result.kind === "error" ? "Unhandled" : null,
      },
    }),
    version: "1.0",
    timestamp: new Date(clock.now()).toISOString(),
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: sequenceOf(first),
      endSequenceNumber: sequenceOf(last),
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: records.length,
      streamArn: settings.streamArn,
    },
  };
}
