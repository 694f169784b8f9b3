import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../clock.ts";
import { type Principal, type Principals, authorize } from "../../iam/principals.ts";
import type { Functions } from "../functions.ts";
import type { Log } from "../../log.ts";
import { StartError } from "../../start-error.ts";
import { refusedMappings } from "./aws-rules.ts";
import {
  type Resource,
  type ResourceGraph,
  functionByArn,
  resourcesOf,
} from "../../graph/resource-graph.ts";
import type { AsynchronousEvents } from "../asynchronous/event-store.ts";
import { deliverAsynchronousEvents } from "../asynchronous/deliver-events.ts";
import type { Queues } from "../../sqs/queues.ts";

type Dependencies = {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
  principals: Principals;
  /** Absent when the graph has no queue. */
  queues: Queues | undefined;
  functions: Pick<Functions, "invoke" | "names">;
  asynchronous: AsynchronousEvents;
  /** The URL of DynamoDB: a mapping reads with the permissions of its function's role. */
  dynamoEndpoint: string | undefined;
};

export type Mappings = {
  /** Aborts events that are being processed; they are processed again after the next start. */
  stop(): Promise<void>;
};

/**
 * Starts everything that invokes functions in the background: event source mappings and asynchronous events.
 * @throws StartError naming every mapping that AWS would refuse.
 */
export async function startMappings(dependencies: Dependencies): Promise<Mappings> {
  const problems = refusedMappings(dependencies.graph);
  if (problems.length > 0)
    throw new StartError(
      `AWS would refuse event source mappings of this graph:\n${problems.map((one) => `- ${one}`).join("\n")}`,
    );
  const stopping = new AbortController();
  const { signal } = stopping;
  const running: Promise<void>[] = [deliverAsynchronousEvents(dependencies, signal)];
  try {
    for (const mapping of resourcesOf(
      dependencies.graph,
      "aws:lambda/eventSourceMapping:EventSourceMapping",
    )) {
      if (mapping.inputs.enabled === false) continue;
      const service = mapping.inputs.eventSourceArn.split(":")[2]!;
      const needed = REQUIRED_ACTIONS[service];
      if (!needed)
        throw new StartError(
          `The event source mapping ${mapping.name} reads from ${service}: not emulated.`,
        );
      const principal = principalOf(mapping, needed, dependencies);
      if (!principal) continue;
      const started = await start(mapping, { ...dependencies, principal }, signal);
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
  dependencies: Dependencies & { principal: Principal },
  signal: AbortSignal,
): Promise<{ ended: Promise<void> }> {
  const { queues, dynamoEndpoint } = dependencies;
  if (mapping.inputs.eventSourceArn.startsWith("arn:aws:sqs:") && queues) {
    const { startSqsMapping } = await import("./sqs-mapping.ts");
    return startSqsMapping(mapping, { ...dependencies, queues }, signal);
  }
  if (dynamoEndpoint) {
    const { startStreamMapping } = await import("./stream-mapping.ts");
    return startStreamMapping(mapping, { ...dependencies, dynamoEndpoint }, signal);
  }
  throw new StartError(
    `The event source mapping ${mapping.name} reads from ${mapping.inputs.eventSourceArn}, which is not in the graph.`,
  );
}

/** The permissions that a function's role needs for AWS to accept the mapping. */
const REQUIRED_ACTIONS: Record<string, string[]> = {
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
  sqs: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
  // https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions
  dynamodb: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
};

/** Returns the session of the function's role; undefined, with a line in the log, when a permission is missing. */
function principalOf(
  { name, inputs, outputs }: Mapping,
  needed: string[],
  dependencies: Dependencies,
) {
  const { graph, principals, log } = dependencies;
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
