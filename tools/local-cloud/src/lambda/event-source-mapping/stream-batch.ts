import { randomUUID } from "node:crypto";

import type { Clock } from "../../clock.ts";
import type { Functions } from "../functions.ts";
import type { InvokeResult } from "../invoke-result.ts";
import { failedItems } from "./batch-response.ts";
import type { StreamRecord } from "./stream-reader.ts";

export type StreamSettings = {
  streamArn: string;
  functionArn: string;
  batchSize: number;
  windowMs: number;
  bisects: boolean;
  reports: boolean;
  /** Infinity for -1. */
  maximumRetries: number;
  /** Infinity for -1. */
  maximumAgeMs: number;
  onFailure: string | undefined;
};

type Dependencies = {
  settings: StreamSettings;
  region: string;
  clock: Clock;
  functions: Pick<Functions, "invoke">;
  signal: AbortSignal;
  /** Called when every record up to this one has been processed. */
  onProcessed(upTo: StreamRecord): void;
  /** Called with records that are discarded: their description goes to the destination, and the shard continues after them. */
  onDiscarded(records: StreamRecord[], why: Failure): void;
};

export type Failure = {
  condition: "RetryAttemptsExhausted" | "RecordAgeExceeded";
  requestId: string;
  invokes: number;
  result: InvokeResult | undefined;
};

/**
 * Processes a batch until it has succeeded, its retries are used up or its records are too old. Later records wait for it. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 */
export async function processBatch(
  batch: StreamRecord[],
  dependencies: Dependencies,
): Promise<void> {
  const { settings, clock, signal } = dependencies;
  let records = batch;
  let invokes = 0;
  let last: { result?: InvokeResult; requestId: string } = { requestId: randomUUID() };
  for (let retries = 0; ;) {
    const young = records.findIndex((record) => ageOf(record, clock) <= settings.maximumAgeMs);
    const old = young < 0 ? records : records.slice(0, young);
    if (old.length > 0)
      dependencies.onDiscarded(old, {
        condition: "RecordAgeExceeded",
        invokes,
        result: last.result,
        requestId: last.requestId,
      });
    records = records.slice(old.length);
    if (records.length === 0) return;

    const requestId = randomUUID();
    const result = await dependencies.functions.invoke(
      settings.functionArn,
      eventOf(records, dependencies),
      {
        signal,
        requestId,
      },
    );
    signal.throwIfAborted();
    last = { result, requestId };
    invokes += 1;
    if (result.kind === "throttled") {
      // throttling uses up no retries: only the age of the records ends it
      await clock.sleep(retryDelayMs(invokes), signal);
      continue;
    }
    const failedAt = firstFailure(records, result, settings.reports);
    if (failedAt === undefined) return dependencies.onProcessed(records.at(-1)!);
    if (failedAt > 0) {
      dependencies.onProcessed(records[failedAt - 1]!);
      records = records.slice(failedAt);
      retries = 0;
    }
    // bisecting uses up no retries; in the end a batch of one bad record is left
    if (settings.bisects && records.length > 1) {
      await clock.sleep(BISECT_DELAY_MS, signal);
      const half = Math.ceil(records.length / 2);
      await processBatch(records.slice(0, half), dependencies);
      return processBatch(records.slice(half), dependencies);
    }
    if (retries >= settings.maximumRetries)
      return dependencies.onDiscarded(records, {
        condition: "RetryAttemptsExhausted",
        invokes,
        result,
        requestId,
      });
    retries += 1;
    await clock.sleep(retryDelayMs(retries), signal);
  }
}

/** Returns the index of the lowest sequence number that was reported. Retries start there, even if later records succeeded. */
function firstFailure(records: StreamRecord[], result: InvokeResult, reports: boolean) {
  const failed = failedItems(result, records.map(sequenceOf), reports);
  const at = records.findIndex((record) => failed.has(sequenceOf(record)));
  return at < 0 ? undefined : at;
}

function eventOf(records: StreamRecord[], { settings, region }: Dependencies) {
  const more = {
    awsRegion: region,
    eventSourceARN: settings.streamArn,
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
  };
  return JSON.stringify({ Records: records.map((record) => ({ ...record, ...more })) });
}

/** AWS does not publish the delay between its retries, only that it grows. */
const retryDelayMs = (retries: number) => Math.min(60_000, 500 * 2 ** (retries - 1));

/** Keeps a function that fails at once from using a whole core. */
const BISECT_DELAY_MS = 20;

export const sequenceOf = ({ dynamodb }: StreamRecord) => dynamodb.SequenceNumber;

/** The engine's dates are of the real clock: how far this clock is ahead of it is no age. */
const ageOf = ({ dynamodb }: StreamRecord, clock: Clock) =>
  clock.sinceReal(dynamodb.ApproximateCreationDateTime * 1000);
