import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { functionArn, createRecordingLog } from "../../../test/functions.ts";
import { createClock } from "../../clock.ts";
import { createPrincipals } from "../../iam/principals.ts";
import { type InvokeResult, failure } from "../invoke-result.ts";
import type { GraphFile, ResourceInFile } from "../../graph/graph-file.ts";
import { parseGraph } from "../../graph/resource-graph.ts";
import { startDynamo } from "../../dynamodb/dynamodb.ts";
import { createAsynchronousEvents } from "../asynchronous/event-store.ts";
import { startMappings } from "./mappings.ts";
import { account, queue, queueArn, region, resource } from "../../sqs/queues.fixture.ts";
import { createQueues } from "../../sqs/queues.ts";

const tableArn = `arn:aws:dynamodb:${region}:${account}:table/things`;
export const streamArn = `${tableArn}/stream/2026-01-01T00:00:00.000`;

/** What a function does with an event: its answer, or what it throws. */
type Handler = (event: Event, at: number) => unknown;
// an event has the shape of whatever sent it
// oxlint-disable-next-line typescript/no-explicit-any
type Event = any;

export const throttled = Symbol("throttled");

type Given = {
  handler: Handler;
  mapping?: object;
  /** Inputs of the function. */
  inputs?: object;
  eventConfig?: object;
  queues?: ResourceInFile[];
  rights?: object[];
  table?: boolean;
  folder?: string;
};

/** A function `job` behind a queue `jobs` or the stream of `things`; `calls` are the events that reached it. */
export async function startTestMapping(given: Given) {
  const { handler, queues: queueResources = [queue("jobs"), queue("dead")], table } = given;
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), "local-cloud-mapping-"));
  const graph = parseGraph(graphOf(given, queueResources));
  const db = new DatabaseSync(join(folder, "state.sqlite"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  const clock = createClock();
  const log = createRecordingLog();
  const principals = createPrincipals({ graph, db });
  const queues = createQueues({ graph, db, clock, log });
  const asynchronous = createAsynchronousEvents(db, clock);
  const dependencies = { graph, db, clock, log, principals };
  const dynamo = table ? await startDynamo({ ...dependencies, folder, env: {} }) : undefined;
  const calls: Event[] = [];
  const functions = {
    names: { [functionArn("job")]: "job", [functionArn("next")]: "next" },
    async invoke(
      arn: string,
      payload: string | Buffer,
      { signal }: { signal?: AbortSignal } = {},
    ): Promise<InvokeResult> {
      const event = JSON.parse(payload.toString());
      if (arn === functionArn("next")) return { kind: "ok", payload: Buffer.from("null") };
      calls.push(event);
      await new Promise(setImmediate);
      try {
        const answer = await Promise.race([handler(event, calls.length), aborted(signal)]);
        if (answer === throttled) return { kind: "throttled" };
        return { kind: "ok", payload: Buffer.from(JSON.stringify(answer ?? null)) };
      } catch (error) {
        signal?.throwIfAborted();
        return failure("Error", String(error));
      }
    },
  };
  const close = async () => {
    await dynamo?.close();
    db.close();
  };
  const dynamoEndpoint = dynamo?.url ?? "http://127.0.0.1:1";
  const mappings = await startMappings({
    ...dependencies,
    queues,
    functions,
    asynchronous,
    dynamoEndpoint,
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });

  return {
    ...dependencies,
    folder,
    queues,
    asynchronous,
    calls,
    dynamo,
    send: (...bodies: string[]) => bodies.forEach((body) => queues.send(queueArn("jobs"), body)),
    counts: (name: string) => queues.countMessages(queueArn(name)),
    /** Lets time pass in steps, so that what follows from one step can happen before the next. */
    async pass(seconds: number, step = 1) {
      for (let left = seconds; left > 0; left -= step) {
        await clock.advance(Math.min(step, left) * 1000);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    async stop({ keep = false } = {}) {
      await mappings.stop();
      await close();
      if (!keep) rmSync(folder, { recursive: true });
    },
  };
}

const aborted = (signal?: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const abort = () => reject(new Error("aborted"));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
  });

const defaultRights = [
  { Effect: "Allow", Action: "sqs:*", Resource: "*" },
  { Effect: "Allow", Action: "dynamodb:*", Resource: "*" },
  { Effect: "Allow", Action: "lambda:InvokeFunction", Resource: "*" },
];

function graphOf(
  { mapping, inputs, eventConfig, rights = defaultRights, table }: Given,
  queues: ResourceInFile[],
): GraphFile {
  const roleArn = `arn:aws:iam::${account}:role/job`;
  const trust = {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  const resources = [
    ...queues,
    resource(
      "aws:iam/role:Role",
      "job",
      {
        name: "job",
        assumeRolePolicy: JSON.stringify({ Statement: [trust] }),
        inlinePolicies: [{ name: "inline", policy: JSON.stringify({ Statement: rights }) }],
      },
      { arn: roleArn },
    ),
    resource(
      "aws:lambda/function:Function",
      "job",
      { name: "job", role: roleArn, ...inputs },
      { arn: functionArn("job") },
    ),
    resource(
      "aws:lambda/function:Function",
      "next",
      { name: "next", role: roleArn },
      { arn: functionArn("next") },
    ),
  ];
  if (mapping)
    resources.push(
      resource("aws:lambda/eventSourceMapping:EventSourceMapping", "4f0c", {
        functionName: functionArn("job"),
        eventSourceArn: table ? streamArn : queueArn("jobs"),
        ...(table && { startingPosition: "TRIM_HORIZON" }),
        ...mapping,
      }),
    );
  if (eventConfig)
    resources.push(
      resource("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "config", {
        functionName: functionArn("job"),
        ...eventConfig,
      }),
    );
  if (table)
    resources.push(
      resource(
        "aws:dynamodb/table:Table",
        "things",
        {
          name: "things",
          attributes: [{ name: "pk", type: "S" }],
          hashKey: "pk",
          billingMode: "PAY_PER_REQUEST",
          streamEnabled: true,
          streamViewType: "NEW_AND_OLD_IMAGES",
        },
        { arn: tableArn, streamArn },
      ),
    );
  return { app: "app", stage: "dev", region, account, functions: {}, resources };
}
