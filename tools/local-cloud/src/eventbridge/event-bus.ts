import { randomUUID } from "node:crypto";

import type { Clock } from "../clock.ts";
import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";
import * as Policy from "../iam/policy.ts";
import type { AsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import { type Filter, filterOf } from "../lambda/event-source-mapping/event-filter.ts";
import { resourcePolicyOf } from "../lambda/function-permissions.ts";
import type { Queues } from "../sqs/queues.ts";
import { StartError } from "../start-error.ts";
import { type Transform, transformOf } from "./input-transformer.ts";

/** What a service puts on the bus; the bus adds the other fields. */
export type Entry = { source: string; "detail-type": string; detail: object };

export type EventBus = {
  /** Sends the event to the targets of every rule that matches. Synchronous: it is part of the transaction that is open on the connection. */
  put(entry: Entry): void;
};

/** EventBridge sends under an account of its own. */
const SENDER = "AIDAIENQZJOLO23YVJ4VO";

/**
 * Returns the default event bus with the rules of the graph.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 *
 * @throws StartError for a pattern or a path that is not emulated, and for a target that does not let its rule send: in AWS
 * such an event is lost.
 */
export function createEventBus({
  graph,
  queues,
  asynchronous,
  clock,
}: {
  graph: ResourceGraph;
  /** Absent when the graph has no queue. */
  queues: Queues | undefined;
  asynchronous: Pick<AsynchronousEvents, "accept">;
  clock: Clock;
}): EventBus {
  const rules = resourcesOf(graph, "aws:cloudwatch/eventRule:EventRule").map((rule) => ({
    isMatch: filterOf({ filters: [{ pattern: rule.inputs.eventPattern }] }) satisfies Filter,
    isEnabled: rule.inputs.state !== "DISABLED",
    targets: targetsOf(graph, rule, queues),
  }));

  return {
    put(entry) {
      const event = {
        version: "0",
        id: randomUUID(),
        ...entry,
        account: graph.account,
        time: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z"),
        region: graph.region,
        resources: [],
      };
      for (const { isMatch, isEnabled, targets } of rules) {
        if (!isEnabled || !isMatch(event)) continue;
        for (const { arn, isQueue, transform } of targets) {
          const payload = transform(event);
          if (isQueue) queues!.send(arn, payload, { senderId: SENDER });
          else asynchronous.accept(arn, payload);
        }
      }
    },
  };
}

type Target = { arn: string; isQueue: boolean; transform: Transform };
type Rule = Resource<"aws:cloudwatch/eventRule:EventRule">;

function targetsOf(graph: ResourceGraph, rule: Rule, queues: Queues | undefined): Target[] {
  return resourcesOf(graph, "aws:cloudwatch/eventTarget:EventTarget")
    .filter(({ inputs }) => inputs.rule === rule.id)
    .map(({ name, inputs: { arn, inputTransformer } }) => {
      const queue = queues?.list().find((candidate) => candidate.arn === arn);
      const policy = queue?.policy ?? resourcePolicyOf(graph, arn);
      if (!policy)
        throw new StartError(
          `The event target ${name} is no queue or function of the graph: ${arn}`,
        );
      const { allowed } = Policy.evaluate(policy, {
        action: queue ? "sqs:SendMessage" : "lambda:InvokeFunction",
        resource: arn,
        principal: { Service: "events.amazonaws.com" },
        context: { "aws:SourceArn": rule.outputs.arn, "aws:SourceAccount": graph.account },
      });
      if (!allowed)
        throw new StartError(
          `${arn} does not allow events.amazonaws.com to send the events of the rule ${rule.name}.`,
        );
      return { arn, isQueue: queue !== undefined, transform: transformOf(inputTransformer, name) };
    });
}
