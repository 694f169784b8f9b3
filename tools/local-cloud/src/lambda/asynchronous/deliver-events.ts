import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../clock.ts";
import { type Principals, authorize } from "../../iam/principals.ts";
import type { Functions } from "../functions.ts";
import type { InvokeResult } from "../invoke-result.ts";
import type { Log } from "../../log.ts";
import { StartError } from "../../start-error.ts";
import { type ResourceGraph, resourcesOf } from "../../graph/resource-graph.ts";
import type { AsynchronousEvents, AsynchronousEvent } from "./event-store.ts";
import type { Queues } from "../../sqs/queues.ts";
import { inTransaction } from "../../transaction.ts";
import { repeatUntilAborted } from "../event-source-mapping/poll-loop.ts";

type Dependencies = {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
  principals: Principals;
  /** Absent when the graph has no queue. */
  queues: Queues | undefined;
  asynchronous: AsynchronousEvents;
  functions: Pick<Functions, "invoke" | "names">;
};

type InvokeConfig = {
  roleArn: string;
  maximumRetries: number;
  maximumAgeMs: number;
  onSuccess: string | undefined;
  onFailure: string | undefined;
  deadLetters: string | undefined;
  reserved: number;
};

/** The delays before the first and the second retry: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const RETRY_DELAYS_MS = [60_000, 120_000];

/** A throttled event is retried after one second at first and after at most five minutes. */
const throttleDelayMs = (times: number) => Math.min(300_000, 1000 * 2 ** times);

/** How many events are processed at once. The number of processes of each function has its own limit. */
const MAX_CONCURRENT_EVENTS = 4;

/** Invokes functions with accepted events until the signal aborts: with retries, a maximum age, destinations and dead-letter queues. */
export async function deliverAsynchronousEvents(
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<void> {
  const configs = invokeConfigsOf(dependencies.graph);
  const busy = new Set<string>();
  const throttled = new Map<string, number>();
  const processNext = async () => {
    const event = dependencies.asynchronous
      .due(MAX_CONCURRENT_EVENTS + busy.size)
      .find(({ id }) => !busy.has(id));
    if (!event) return waitForDueEvent(dependencies, busy, signal);
    busy.add(event.id);
    try {
      await deliver(
        event,
        configs.get(unqualified(event.functionArn)),
        throttled,
        dependencies,
        signal,
      );
    } finally {
      busy.delete(event.id);
    }
  };
  const label = "asynchronous events";
  await Promise.all(
    Array.from({ length: MAX_CONCURRENT_EVENTS }, () =>
      repeatUntilAborted(processNext, { ...dependencies, signal, label }),
    ),
  );
}

async function deliver(
  event: AsynchronousEvent,
  config: InvokeConfig | undefined,
  throttled: Map<string, number>,
  dependencies: Dependencies,
  signal: AbortSignal,
) {
  const { asynchronous, clock, functions, log } = dependencies;
  if (!config) {
    log.error(`An event was accepted for ${event.functionArn}, which is no longer in the graph`);
    return asynchronous.finish(event.id);
  }
  const age = clock.now() - event.acceptedAt;
  if (age > config.maximumAgeMs)
    return finish(event, config, "EventAgeExceeded", undefined, dependencies);
  const { functionArn, payload, id: requestId } = event;
  const result = await functions.invoke(functionArn, payload, { signal, requestId });
  signal.throwIfAborted();
  if (result.kind === "throttled") {
    // a function that may never run: its events go to the failure destination at once
    if (config.reserved === 0)
      return finish(event, config, "RetriesExhausted", result, dependencies);
    const times = throttled.get(event.id) ?? 0;
    throttled.set(event.id, times + 1);
    return asynchronous.postpone(event.id, throttleDelayMs(times), false);
  }
  throttled.delete(event.id);
  if (result.kind === "ok") return finish(event, config, "Success", result, dependencies);
  if (event.attempts >= config.maximumRetries)
    return finish(event, config, "RetriesExhausted", result, dependencies);
  asynchronous.postpone(event.id, RETRY_DELAYS_MS[event.attempts] ?? 120_000, true);
}

const unqualified = (arn: string) => arn.split(":").slice(0, 7).join(":");

type Condition = "Success" | "RetriesExhausted" | "EventAgeExceeded";

/** Removes an event and sends its record to the destination in one transaction. */
function finish(
  event: AsynchronousEvent,
  config: InvokeConfig,
  condition: Condition,
  result: InvokeResult | undefined,
  dependencies: Dependencies,
) {
  const { db, asynchronous, queues, log, functions } = dependencies;
  const isSuccess = condition === "Success";
  const destination = isSuccess ? config.onSuccess : config.onFailure;
  inTransaction(db, () => {
    asynchronous.finish(event.id);
    if (destination && maySend(destination, config, dependencies)) {
      const record = JSON.stringify(recordOf(event, condition, result, dependencies.clock));
      if (destination.startsWith("arn:aws:sqs:")) queues!.send(destination, record);
      else asynchronous.accept(destination, record);
    }
    if (!isSuccess && config.deadLetters && maySend(config.deadLetters, config, dependencies))
      queues!.send(config.deadLetters, event.payload, { attributes: attributesOf(event, result) });
  });
  if (isSuccess) return;
  log.error(
    `${functions.names[event.functionArn]}: an asynchronous event was discarded, ${condition}`,
    {
      id: event.id,
      destination: destination ?? config.deadLetters,
    },
  );
}

function maySend(
  destination: string,
  { roleArn }: InvokeConfig,
  { principals, log }: Dependencies,
) {
  const action = destination.startsWith("arn:aws:sqs:")
    ? "sqs:SendMessage"
    : "lambda:InvokeFunction";
  const principal = principals.forRole(roleArn, "lambda.amazonaws.com");
  return authorize(principal, { action, resource: destination }, log).allowed;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function recordOf(
  event: AsynchronousEvent,
  condition: Condition,
  result: InvokeResult | undefined,
  clock: Clock,
) {
  const invokes = event.attempts + (condition === "EventAgeExceeded" ? 0 : 1);
  return {
    version: "1.0",
    timestamp: new Date(clock.now()).toISOString(),
    requestContext: {
      requestId: event.id,
      functionArn: `${event.functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: invokes,
    },
    requestPayload: JSON.parse(event.payload),
    ...(result?.kind === "ok" && {
      responseContext: { statusCode: 200, executedVersion: "$LATEST" },
      responsePayload: JSON.parse(result.payload.toString()),
    }),
    ...(result?.kind === "error" && {
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: JSON.parse(result.payload.toString()),
    }),
  };
}

/** A dead letter is the unchanged event with the error as message attributes: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq */
function attributesOf({ id }: AsynchronousEvent, result: InvokeResult | undefined) {
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
  const message = result?.kind === "error" ? result.errorMessage : "";
  return {
    RequestID: text(id),
    ErrorCode: { DataType: "Number", StringValue: result?.kind === "throttled" ? "429" : "200" },
    ...(message && { ErrorMessage: text(message.slice(0, 1024)) }),
  };
}

async function waitForDueEvent(
  { asynchronous, clock }: Dependencies,
  busy: Set<string>,
  signal: AbortSignal,
) {
  const accepted = new AbortController();
  const stop = asynchronous.onAccept(() => accepted.abort());
  const due = asynchronous.nextDue() ?? Infinity;
  // an event that is being processed is due as well
  const ms = due <= clock.now() ? (busy.size > 0 ? 50 : 1) : Math.min(1000, due - clock.now());
  try {
    await clock.sleep(ms, AbortSignal.any([signal, accepted.signal]));
  } catch (error) {
    if (!accepted.signal.aborted) throw error;
  } finally {
    stop();
  }
}

function invokeConfigsOf(graph: ResourceGraph): Map<string, InvokeConfig> {
  const eventConfigs = resourcesOf(
    graph,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  );
  return new Map(
    resourcesOf(graph, "aws:lambda/function:Function").map(({ id, inputs, outputs }) => {
      const own = eventConfigs.find((config) =>
        [id, outputs.arn].includes(config.inputs.functionName),
      )?.inputs;
      const config: InvokeConfig = {
        roleArn: inputs.role,
        maximumRetries: own?.maximumRetryAttempts ?? 2,
        maximumAgeMs: 1000 * (own?.maximumEventAgeInSeconds ?? 6 * 3600),
        onSuccess: destinationOf(graph, own?.destinationConfig?.onSuccess?.destination),
        onFailure: destinationOf(graph, own?.destinationConfig?.onFailure?.destination),
        deadLetters: destinationOf(graph, inputs.deadLetterConfig?.targetArn, ["sqs"]),
        reserved: inputs.reservedConcurrentExecutions ?? -1,
      };
      return [outputs.arn, config];
    }),
  );
}

function destinationOf(
  graph: ResourceGraph,
  arn: string | undefined,
  services = ["sqs", "lambda"],
) {
  if (!arn) return undefined;
  if (!services.includes(arn.split(":")[2]!))
    throw new StartError(
      `A function has the destination ${arn}, which is not emulated: only ${services.join(" and ")} destinations are.`,
    );
  const targets = [
    ...resourcesOf(graph, "aws:sqs/queue:Queue"),
    ...resourcesOf(graph, "aws:lambda/function:Function"),
  ];
  if (!targets.some(({ outputs }) => outputs.arn === unqualified(arn)))
    throw new StartError(`A function has the destination ${arn}, which is not in the graph.`);
  return arn;
}
