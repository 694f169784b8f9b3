import { randomUUID } from "node:crypto";

import type { Clock } from "../../clock.ts";
import type { Functions } from "../functions.ts";
import type { InvokeResult } from "../result.ts";
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

type Parts = {
  settings: StreamSettings;
  region: string;
  clock: Clock;
  functions: Pick<Functions, "invoke">;
  signal: AbortSignal;
  /** Everything up to this record is done with. */
  done(upTo: StreamRecord): void;
  /** These are given up: their description goes to the destination, and the shard goes on behind them. */
  giveUp(records: StreamRecord[], why: Failure): void;
};

export type Failure = {
  condition: "RetryAttemptsExhausted" | "RecordAgeExceeded";
  requestId: string;
  invokes: number;
  result: InvokeResult | undefined;
};

/**
 * Works a batch off, in order: until it succeeded, its retries are used up or its records are too old. Nothing behind it is
 * looked at before. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 */
export async function workOff(batch: StreamRecord[], parts: Parts): Promise<void> {
  const { settings, clock, signal } = parts;
  let records = batch;
  let invokes = 0;
  let last: { result?: InvokeResult; requestId: string } = { requestId: randomUUID() };
  for (let retries = 0; ;) {
    const young = records.findIndex((record) => ageOf(record, clock) <= settings.maximumAgeMs);
    const old = young < 0 ? records : records.slice(0, young);
    if (old.length > 0)
      parts.giveUp(old, {
        condition: "RecordAgeExceeded",
        invokes,
        result: last.result,
        requestId: last.requestId,
      });
    records = records.slice(old.length);
    if (records.length === 0) return;

    const requestId = randomUUID();
    const result = await parts.functions.invoke(settings.functionArn, eventOf(records, parts), {
      signal,
      requestId,
    });
    signal.throwIfAborted();
    last = { result, requestId };
    invokes += 1;
    if (result.kind === "throttled") {
      // not a failure of the batch: only age ends it
      await clock.sleep(backoff(invokes), signal);
      continue;
    }
    const failedAt = firstFailure(records, result, settings.reports);
    if (failedAt === undefined) return parts.done(records.at(-1)!);
    if (failedAt > 0) {
      parts.done(records[failedAt - 1]!);
      records = records.slice(failedAt);
      retries = 0;
    }
    // bisecting does not use up retries; a single record is what is left of a bad batch
    if (settings.bisects && records.length > 1) {
      await clock.sleep(bisectMs, signal);
      const half = Math.ceil(records.length / 2);
      await workOff(records.slice(0, half), parts);
      return workOff(records.slice(half), parts);
    }
    if (retries >= settings.maximumRetries)
      return parts.giveUp(records, {
        condition: "RetryAttemptsExhausted",
        invokes,
        result,
        requestId,
      });
    retries += 1;
    await clock.sleep(backoff(retries), signal);
  }
}

/** The lowest sequence number that was reported; retries start there whatever else succeeded. */
function firstFailure(records: StreamRecord[], result: InvokeResult, reports: boolean) {
  const failed = failedItems(result, records.map(sequenceOf), reports);
  const at = records.findIndex((record) => failed.has(sequenceOf(record)));
  return at < 0 ? undefined : at;
}

function eventOf(records: StreamRecord[], { settings, region }: Parts) {
  const more = {
    awsRegion: region,
    eventSourceARN: settings.streamArn,
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
  };
  return JSON.stringify({ Records: records.map((record) => ({ ...record, ...more })) });
}

/** AWS does not publish its pause between retries; it grows. */
const backoff = (retries: number) => Math.min(60_000, 500 * 2 ** (retries - 1));

/** So that a function that fails at once does not spin. */
const bisectMs = 20;

export const sequenceOf = ({ dynamodb }: StreamRecord) => dynamodb.SequenceNumber;

const ageOf = ({ dynamodb }: StreamRecord, clock: Clock) =>
  clock.now() - dynamodb.ApproximateCreationDateTime * 1000;
