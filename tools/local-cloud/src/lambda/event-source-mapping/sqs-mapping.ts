import { availableParallelism } from "node:os";
import type { DatabaseSync } from "node:sqlite";

import type { Functions } from "../functions.ts";
import { maxRequestBytes } from "../result.ts";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Resource, ResourceGraph } from "../../graph/resource-graph.ts";
import { failedItems } from "./batch-response.ts";
import type { Message } from "../../sqs/message.ts";
import { type Filter, filterOf } from "./event-filter.ts";
import type { Queues } from "../../sqs/queues.ts";
import { inTransaction } from "../../transaction.ts";
import { work } from "./poll-loop.ts";

type Parts = {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
  queues: Queues;
  functions: Pick<Functions, "invoke" | "names">;
};

/** Lambda starts with five pollers; more batches at once than cores would only wait, and their messages' visibility would run. */
const pollers = Math.min(5, Math.max(2, availableParallelism()));

/** A message may also become visible because time passes, which nobody tells. */
const lookAgainMs = 1000;

/** Polls a queue for a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function startSqsMapping(
  mapping: Mapping,
  parts: Parts,
  signal: AbortSignal,
): { ended: Promise<void> } {
  const settings = read(mapping);
  const received = openReceived(parts.db, mapping.id);
  // whoever received these was killed and will not answer for them; else they would stay hidden until their visibility times out
  parts.queues.undoReceive(received.all());
  received.clear();
  const poller = () => poll(settings, received, parts, signal);
  const what = `${parts.functions.names[settings.functionArn]} polls ${settings.queueArn}`;
  const concurrency = Math.min(pollers, settings.maximumConcurrency);
  return { ended: each(concurrency, () => work(poller, { ...parts, signal, what })) };
}

async function each(times: number, start: () => Promise<void>) {
  await Promise.all(Array.from({ length: times }, start));
}

type Mapping = Resource<"aws:lambda/eventSourceMapping:EventSourceMapping">;

function read({ inputs, outputs }: Mapping) {
  const batchSize = inputs.batchSize ?? 10;
  return {
    queueArn: inputs.eventSourceArn,
    functionArn: outputs.functionArn ?? inputs.functionName,
    batchSize,
    windowMs: 1000 * (inputs.maximumBatchingWindowInSeconds ?? 0),
    reports: (inputs.functionResponseTypes ?? []).includes("ReportBatchItemFailures"),
    maximumConcurrency: inputs.scalingConfig?.maximumConcurrency ?? Infinity,
    filter: filterOf(inputs.filterCriteria),
  };
}

type Settings = ReturnType<typeof read>;

/** One batch, or a wait for one. */
async function poll(settings: Settings, received: Received, parts: Parts, signal: AbortSignal) {
  const { queueArn } = settings;
  const first = receive(settings, settings.batchSize, received, parts);
  if (first.length === 0) return arrival(queueArn, lookAgainMs, parts, signal);
  const messages = await fill(first, settings, received, parts, signal);
  const { event, kept } = eventOf(messages, parts.graph.region, queueArn);
  if (kept.length < messages.length) {
    const handles = messages.slice(kept.length).map(({ receiptHandle }) => receiptHandle);
    inTransaction(parts.db, () => {
      parts.queues.undoReceive(handles);
      received.remove(handles);
    });
  }
  // a batch may come from many traces: it gets one of its own, linked to each of them
  // https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html
  const links = kept.flatMap(({ attributes }) => attributes["AWSTraceHeader"] ?? []);
  const result = await parts.functions.invoke(settings.functionArn, event, { signal, links });
  signal.throwIfAborted();
  const ids = kept.map(({ messageId }) => messageId);
  const failed = failedItems(result, ids, settings.reports);
  inTransaction(parts.db, () => {
    for (const { messageId, receiptHandle } of kept)
      // one that failed comes back when its visibility times out, once more received
      if (!failed.has(messageId)) parts.queues.delete(queueArn, receiptHandle);
    received.remove(kept.map(({ receiptHandle }) => receiptHandle));
  });
  if (failed.size > 0) {
    const { visible, inFlight } = parts.queues.countMessages(queueArn);
    const name = parts.functions.names[settings.functionArn];
    parts.log.warn(
      `${name}: ${failed.size} of ${kept.length} messages failed and will be received again`,
      { visible, inFlight },
    );
  }
  // a throttled poller backs off: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
  if (result.kind === "throttled") await parts.clock.sleep(1000, signal);
}

/** Receives, and remembers that it did in the same commit. What the filter leaves out is deleted. */
function receive(
  { queueArn, filter }: Settings,
  max: number,
  received: Received,
  { db, queues }: Parts,
) {
  return inTransaction(db, () => {
    const messages = queues.receive(queueArn, max);
    const [wanted, unwanted] = divided(messages, filter);
    for (const { receiptHandle } of unwanted) queues.delete(queueArn, receiptHandle);
    received.add(wanted.map(({ receiptHandle }) => receiptHandle));
    return wanted;
  });
}

/** Waits for more, until the batch is full or the window closes; the window opens with the first message. */
async function fill(
  messages: Message[],
  settings: Settings,
  received: Received,
  parts: Parts,
  signal: AbortSignal,
) {
  const { queueArn, batchSize, windowMs } = settings;
  const closes = parts.clock.now() + windowMs;
  while (messages.length < batchSize && parts.clock.now() < closes) {
    await arrival(queueArn, Math.min(lookAgainMs, closes - parts.clock.now()), parts, signal);
    messages.push(...receive(settings, batchSize - messages.length, received, parts));
  }
  return messages;
}

async function arrival(
  queueArn: string,
  ms: number,
  { queues, clock }: Parts,
  signal: AbortSignal,
) {
  const came = new AbortController();
  const stop = queues.onMessages(queueArn, () => came.abort());
  try {
    await clock.sleep(ms, AbortSignal.any([signal, came.signal]));
  } catch (error) {
    if (!came.signal.aborted) throw error;
  } finally {
    stop();
  }
}

function divided(messages: Message[], filter: Filter) {
  const passes = messages.map((message) => filter({ ...message, body: parsed(message.body) }));
  return [messages.filter((_, at) => passes[at]), messages.filter((_, at) => !passes[at])] as const;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** The event to the letter, and the messages that fit into it: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
function eventOf(messages: Message[], awsRegion: string, eventSourceARN: string) {
  const records: string[] = [];
  let bytes = '{"Records":[]}'.length;
  for (const message of messages) {
    const record = JSON.stringify({
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: message.attributes,
      messageAttributes: Object.fromEntries(
        Object.entries(message.messageAttributes).map(attribute),
      ),
      md5OfBody: message.bodyMd5,
      eventSource: "aws:sqs",
      eventSourceARN,
      awsRegion,
    });
    bytes += Buffer.byteLength(record) + 1;
    if (bytes > maxRequestBytes && records.length > 0) break;
    records.push(record);
  }
  return { event: `{"Records":[${records.join()}]}`, kept: messages.slice(0, records.length) };
}

function attribute([name, value]: [string, Message["messageAttributes"][string]]) {
  const { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue } = value;
  return [name, { stringValue, binaryValue, stringListValues: [], binaryListValues: [], dataType }];
}

type Received = ReturnType<typeof openReceived>;

/** The messages that a call of the function is working on. */
function openReceived(db: DatabaseSync, mapping: string) {
  db.exec(`CREATE TABLE IF NOT EXISTS mapping_received (
    mapping TEXT NOT NULL, receipt TEXT NOT NULL, PRIMARY KEY (mapping, receipt)
  ) STRICT, WITHOUT ROWID`);
  const insert = db.prepare("INSERT INTO mapping_received VALUES (?, ?)");
  const remove = db.prepare("DELETE FROM mapping_received WHERE mapping = ? AND receipt = ?");
  const all = db.prepare("SELECT receipt FROM mapping_received WHERE mapping = ?");
  const clear = db.prepare("DELETE FROM mapping_received WHERE mapping = ?");
  return {
    add: (receipts: string[]) => receipts.forEach((receipt) => insert.run(mapping, receipt)),
    remove: (receipts: string[]) => receipts.forEach((receipt) => remove.run(mapping, receipt)),
    all: () => all.all(mapping).map(({ receipt }) => String(receipt)),
    clear: () => void clear.run(mapping),
  };
}
