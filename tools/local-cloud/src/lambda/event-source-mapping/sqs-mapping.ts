import { availableParallelism } from "node:os";
import type { DatabaseSync } from "node:sqlite";

import type { Functions } from "../functions.ts";
import { MAX_REQUEST_BYTES } from "../invoke-result.ts";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Resource, ResourceGraph } from "../../graph/resource-graph.ts";
import { failedItems } from "./batch-response.ts";
import type { Message } from "../../sqs/message.ts";
import { type Filter, filterOf } from "./event-filter.ts";
import type { Queues } from "../../sqs/queues.ts";
import { inTransaction } from "../../transaction.ts";
import { repeatUntilAborted } from "./poll-loop.ts";

type Dependencies = {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
  queues: Queues;
  functions: Pick<Functions, "invoke" | "names">;
};

/** Lambda starts with five pollers. With more batches at once than cores, messages would wait in the function while their visibility timeout runs. */
const MAX_POLLERS = Math.min(5, Math.max(2, availableParallelism()));

/** A message also becomes visible when its visibility timeout ends, which sends no notification. */
const POLL_INTERVAL_MS = 1000;

/** Polls a queue for a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function startSqsMapping(
  mapping: Mapping,
  dependencies: Dependencies,
  signal: AbortSignal,
): { ended: Promise<void> } {
  const settings = read(mapping);
  const inFlight = openInFlightMessages(dependencies.db, mapping.id);
  // the process that received these was killed: without this they would stay hidden until their visibility timeout ends
  dependencies.queues.undoReceive(inFlight.all());
  inFlight.clear();
  const poller = () => poll(settings, inFlight, dependencies, signal);
  const label = `${dependencies.functions.names[settings.functionArn]} polls ${settings.queueArn}`;
  const concurrency = Math.min(MAX_POLLERS, settings.maximumConcurrency);
  return {
    ended: inParallel(concurrency, () =>
      repeatUntilAborted(poller, { ...dependencies, signal, label }),
    ),
  };
}

async function inParallel(times: number, start: () => Promise<void>) {
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

/** Processes one batch, or waits for messages. */
async function poll(
  settings: Settings,
  inFlight: InFlightMessages,
  dependencies: Dependencies,
  signal: AbortSignal,
) {
  const { queueArn } = settings;
  const first = receive(settings, settings.batchSize, inFlight, dependencies);
  if (first.length === 0) return waitForMessages(queueArn, POLL_INTERVAL_MS, dependencies, signal);
  const messages = await receiveMore(first, settings, inFlight, dependencies, signal);
  const { event, kept } = eventOf(messages, dependencies.graph.region, queueArn);
  if (kept.length < messages.length) {
    const handles = messages.slice(kept.length).map(({ receiptHandle }) => receiptHandle);
    inTransaction(dependencies.db, () => {
      dependencies.queues.undoReceive(handles);
      inFlight.remove(handles);
    });
  }
  // a batch may come from many traces: it gets its own trace, linked to each of them
  // https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html
  const links = kept.flatMap(({ attributes }) => attributes["AWSTraceHeader"] ?? []);
  const result = await dependencies.functions.invoke(settings.functionArn, event, {
    signal,
    links,
  });
  signal.throwIfAborted();
  const ids = kept.map(({ messageId }) => messageId);
  const failed = failedItems(result, ids, settings.reports);
  inTransaction(dependencies.db, () => {
    for (const { messageId, receiptHandle } of kept)
      // a failed message becomes visible again when its visibility timeout ends
      if (!failed.has(messageId)) dependencies.queues.delete(queueArn, receiptHandle);
    inFlight.remove(kept.map(({ receiptHandle }) => receiptHandle));
  });
  if (failed.size > 0) {
    const { visible, inFlight } = dependencies.queues.countMessages(queueArn);
    const name = dependencies.functions.names[settings.functionArn];
    dependencies.log.warn(
      `${name}: ${failed.size} of ${kept.length} messages failed and will be received again`,
      { visible, inFlight },
    );
  }
  // a throttled poller waits: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
  if (result.kind === "throttled") await dependencies.clock.sleep(1000, signal);
}

/** Receives messages and stores their receipts in one transaction. Messages that do not match the filter are deleted. */
function receive(
  { queueArn, filter }: Settings,
  max: number,
  inFlight: InFlightMessages,
  { db, queues }: Dependencies,
) {
  return inTransaction(db, () => {
    const messages = queues.receive(queueArn, max);
    const [wanted, unwanted] = partition(messages, filter);
    for (const { receiptHandle } of unwanted) queues.delete(queueArn, receiptHandle);
    inFlight.add(wanted.map(({ receiptHandle }) => receiptHandle));
    return wanted;
  });
}

/** Receives until the batch is full or the batching window is over. The window starts with the first message. */
async function receiveMore(
  messages: Message[],
  settings: Settings,
  inFlight: InFlightMessages,
  dependencies: Dependencies,
  signal: AbortSignal,
) {
  const { queueArn, batchSize, windowMs } = settings;
  const closes = dependencies.clock.now() + windowMs;
  while (messages.length < batchSize && dependencies.clock.now() < closes) {
    await waitForMessages(
      queueArn,
      Math.min(POLL_INTERVAL_MS, closes - dependencies.clock.now()),
      dependencies,
      signal,
    );
    messages.push(...receive(settings, batchSize - messages.length, inFlight, dependencies));
  }
  return messages;
}

async function waitForMessages(
  queueArn: string,
  ms: number,
  { queues, clock }: Dependencies,
  signal: AbortSignal,
) {
  const arrived = new AbortController();
  const stop = queues.onMessages(queueArn, () => arrived.abort());
  try {
    await clock.sleep(ms, AbortSignal.any([signal, arrived.signal]));
  } catch (error) {
    if (!arrived.signal.aborted) throw error;
  } finally {
    stop();
  }
}

function partition(messages: Message[], filter: Filter) {
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

/** Returns the event as JSON and the messages that fit into its limit of bytes: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
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
    if (bytes > MAX_REQUEST_BYTES && records.length > 0) break;
    records.push(record);
  }
  return { event: `{"Records":[${records.join()}]}`, kept: messages.slice(0, records.length) };
}

function attribute([name, value]: [string, Message["messageAttributes"][string]]) {
  const { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue } = value;
  return [name, { stringValue, binaryValue, stringListValues: [], binaryListValues: [], dataType }];
}

type InFlightMessages = ReturnType<typeof openInFlightMessages>;

/** The receipts of the messages that the function is processing, on disk: after a kill they are received again at once. */
function openInFlightMessages(db: DatabaseSync, mapping: string) {
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
