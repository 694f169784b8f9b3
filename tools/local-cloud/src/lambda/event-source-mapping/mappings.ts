import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../clock.ts";
import { type Principal, type Principals, authorize } from "../../iam/principals.ts";
import type { Functions } from "../functions.ts";
import type { Log } from "../../log.ts";
import { StartError } from "../../start-error.ts";
import { refused } from "./aws-rules.ts";
import {
  type Resource,
  type ResourceGraph,
  functionByArn,
  resourcesOf,
} from "../../graph/resource-graph.ts";
import type { AsynchronousEvents } from "../asynchronous/invocations.ts";
import { deliverAsynchronousEvents } from "../asynchronous/delivery.ts";
import type { Queues } from "../../sqs/queues.ts";

type Parts = {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
  principals: Principals;
  /** Absent when the graph has no queue. */
  queues: Queues | undefined;
  functions: Pick<Functions, "invoke" | "names">;
  asynchronous: AsynchronousEvents;
  /** The guard in front of the tables: a mapping reads with its function's role. */
  dynamoEndpoint: string | undefined;
};

export type Mappings = {
  /** What is being worked on is dropped, and will be worked on again after the next start. */
  stop(): Promise<void>;
};

/** Everything that invokes a function without being asked to wait: queues, streams, and events that were accepted. */
export async function startMappings(parts: Parts): Promise<Mappings> {
  const problems = refused(parts.graph);
  if (problems.length > 0)
    throw new StartError(
      `The local cloud cannot deliver the events of this graph:\n${problems.map((one) => `- ${one}`).join("\n")}`,
    );
  const stopping = new AbortController();
  const { signal } = stopping;
  const running: Promise<void>[] = [deliverAsynchronousEvents(parts, signal)];
  try {
    for (const mapping of resourcesOf(
      parts.graph,
      "aws:lambda/eventSourceMapping:EventSourceMapping",
    )) {
      if (mapping.inputs.enabled === false) continue;
      const service = mapping.inputs.eventSourceArn.split(":")[2]!;
      const needed = rights[service];
      if (!needed)
        throw new StartError(
          `The event source mapping ${mapping.name} reads from ${service}: not emulated.`,
        );
      const principal = principalOf(mapping, needed, parts);
      if (!principal) continue;
      const started = await start(mapping, { ...parts, principal }, signal);
      running.push(started.ended);
    }
  } catch (error) {
    stopping.abort();
    await Promise.allSettled(running);
    throw error;
  }
  return {
    async stop() {
      stopping.abort();
      await Promise.allSettled(running);
    },
  };
}

type Mapping = Resource<"aws:lambda/eventSourceMapping:EventSourceMapping">;

/** A mapping of a service that the graph does not use is not loaded. */
async function start(
  mapping: Mapping,
  parts: Parts & { principal: Principal },
  signal: AbortSignal,
): Promise<{ ended: Promise<void> }> {
  const { queues, dynamoEndpoint } = parts;
  if (mapping.inputs.eventSourceArn.startsWith("arn:aws:sqs:") && queues) {
    const { startSqsMapping } = await import("./sqs-mapping.ts");
    return startSqsMapping(mapping, { ...parts, queues }, signal);
  }
  if (dynamoEndpoint) {
    const { startStreamMapping } = await import("./stream-mapping.ts");
    return startStreamMapping(mapping, { ...parts, dynamoEndpoint }, signal);
  }
  throw new StartError(
    `The event source mapping ${mapping.name} reads from ${mapping.inputs.eventSourceArn}, which is not in the graph.`,
  );
}

/** What the function's role must be allowed to, or AWS refuses to make the mapping. */
const rights: Record<string, string[]> = {
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
  sqs: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
  // https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions
  dynamodb: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
};

/** The role's session, or undefined with a word in the log when a right is missing. */
function principalOf({ name, inputs, outputs }: Mapping, needed: string[], parts: Parts) {
  const { graph, principals, log } = parts;
  const functionArn = outputs.functionArn ?? inputs.functionName;
  const lambda = functionByArn(graph, functionArn);
  if (!lambda)
    throw new StartError(
      `The event source mapping ${name} is for ${functionArn}, which is not in the graph.`,
    );
  const principal = principals.forRole(lambda.inputs.role, "lambda.amazonaws.com");
  const asks = needed.map((action) => ({ action, resource: inputs.eventSourceArn }));
  const onFailure = inputs.destinationConfig?.onFailure?.destinationArn;
  if (onFailure) asks.push({ action: "sqs:SendMessage", resource: onFailure });
  const missing = asks.filter((ask) => !authorize(principal, ask, log).allowed);
  if (missing.length === 0) return principal;
  const actions = missing.map(({ action }) => action).join(", ");
  log.error(
    `${principal.label}: the provided execution role does not have permissions to call ${actions}, so nothing is read from ${inputs.eventSourceArn}`,
  );
  return undefined;
}
