import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import * as Policy from "../iam/policy.ts";
import { StartError } from "../start-error.ts";
import {
  type Resource,
  type ResourceGraph,
  functionByArn,
  resourcesOf,
} from "../graph/resource-graph.ts";
import type { AsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import { resourcePolicyOf } from "../lambda/function-permissions.ts";
import type { Queues } from "../sqs/queues.ts";
import { inTransaction } from "../transaction.ts";

/** The properties of an event record that are read here; the rest is passed on. */
type Change = { eventName: string; s3: { object: { key: string } } };

export type Notifications = {
  /** Sends the record to the queues and functions whose rules match. Synchronous: it is part of the transaction that makes the change. */
  notify(bucket: string, record: Change, traceHeader?: string): void;
};

/**
 * Returns the notifications of the graph's buckets.
 * @throws StartError for a configuration that S3 would refuse.
 */
export function createNotifications({
  graph,
  db,
  queues,
  asynchronous,
  clock,
}: {
  graph: ResourceGraph;
  db: DatabaseSync;
  /** Absent when the graph has no queue. */
  queues: Queues | undefined;
  asynchronous: AsynchronousEvents;
  clock: Clock;
}): Notifications {
  const byBucket = new Map<string, Rule[]>();
  for (const resource of resourcesOf(graph, "aws:s3/bucketNotification:BucketNotification")) {
    const { bucket } = resource.inputs;
    if (byBucket.has(bucket))
      throw new StartError(
        `The bucket ${bucket} has several notification configurations, of which AWS would keep one.`,
      );
    byBucket.set(bucket, rulesOf(graph, resource, queues));
  }
  for (const [bucket, rules] of byBucket) {
    refuseOverlap(bucket, rules);
    for (const rule of rules)
      if (rule.kind === "queue") sendTestEvent({ db, queues: queues!, clock }, bucket, rule.target);
  }

  return {
    notify(bucket, record, traceHeader) {
      for (const rule of byBucket.get(bucket) ?? []) {
        if (!matches(rule, record)) continue;
        const s3 = { s3SchemaVersion: "1.0", configurationId: rule.id, ...record.s3 };
        const event = JSON.stringify({ Records: [{ ...record, s3 }] });
        if (rule.kind === "queue")
          // https://docs.aws.amazon.com/AmazonS3/latest/userguide/monitoring-overview.html: the trace of the request continues in the message
          queues!.send(rule.target, event, {
            senderId: SENDER,
            ...(traceHeader && { traceHeader }),
          });
        else asynchronous.accept(rule.target, event);
      }
    },
  };
}

type Rule = {
  kind: "queue" | "function";
  target: string;
  id: string;
  events: string[];
  prefix: string;
  suffix: string;
};

type Notification = Resource<"aws:s3/bucketNotification:BucketNotification">;

type Filter = {
  id?: string | undefined;
  events: string[];
  filterPrefix?: string | undefined;
  filterSuffix?: string | undefined;
};

/** S3 sends under an account of its own. */
const SENDER = "AIDAJHIPRHEMV73VRJEBU";

function rulesOf(
  graph: ResourceGraph,
  { inputs, name }: Notification,
  queues: Queues | undefined,
): Rule[] {
  const rule = (kind: Rule["kind"], target: string, from: Filter): Rule => ({
    kind,
    target,
    id: from.id ?? name,
    events: from.events,
    prefix: from.filterPrefix ?? "",
    suffix: from.filterSuffix ?? "",
  });
  const toQueues = (inputs.queues ?? []).map((queue) => rule("queue", queue.queueArn, queue));
  const toFunctions = (inputs.lambdaFunctions ?? []).map((fn) =>
    rule("function", fn.lambdaFunctionArn, fn),
  );
  for (const { target } of toQueues) refuseUnlessQueueAllows(graph, queues, inputs.bucket, target);
  for (const { target } of toFunctions) refuseUnlessFunctionAllows(graph, inputs.bucket, target);
  return [...toQueues, ...toFunctions];
}

/** S3 checks at configuration that it may deliver: "Unable to validate the following destination configurations". */
function refuseUnlessQueueAllows(
  graph: ResourceGraph,
  queues: Queues | undefined,
  bucket: string,
  arn: string,
) {
  const queue = queues?.list().find((candidate) => candidate.arn === arn);
  if (!queue)
    throw new StartError(`The bucket ${bucket} notifies ${arn}, which is not in the graph.`);
  const { allowed } = Policy.evaluate(queue.policy, {
    action: "sqs:SendMessage",
    resource: arn,
    ...caller(graph, bucket),
  });
  if (!allowed)
    throw new StartError(
      `The policy of the queue ${queue.name} does not allow s3.amazonaws.com to send notifications of the bucket ${bucket}.`,
    );
}

function refuseUnlessFunctionAllows(graph: ResourceGraph, bucket: string, arn: string) {
  const statements = resourcePolicyOf(graph, arn);
  if (!statements)
    throw new StartError(`The bucket ${bucket} notifies ${arn}, which is not in the graph.`);
  const access = { action: "lambda:InvokeFunction", resource: arn, ...caller(graph, bucket) };
  if (!Policy.evaluate(statements, access).allowed)
    throw new StartError(
      `The function ${functionByArn(graph, arn)!.name} does not allow s3.amazonaws.com to invoke it for the bucket ${bucket}.`,
    );
}

const caller = (graph: ResourceGraph, bucket: string) => ({
  principal: { Service: "s3.amazonaws.com" },
  context: {
    "aws:SourceArn":
      resourcesOf(graph, "aws:s3/bucket:Bucket").find(({ id }) => id === bucket)?.outputs.arn ??
      `arn:aws:s3:::${bucket}`,
    "aws:SourceAccount": graph.account,
  },
});

function matches({ events, prefix, suffix }: Rule, { eventName, s3 }: Change): boolean {
  // the key of a record is encoded, a filter's is not
  const key = decodeURIComponent(s3.object.key.replaceAll("+", " "));
  return (
    key.startsWith(prefix) &&
    key.endsWith(suffix) &&
    events.some((event) => covers(event, `s3:${eventName}`))
  );
}

const covers = (pattern: string, event: string) =>
  pattern === event || (pattern.endsWith("*") && event.startsWith(pattern.slice(0, -1)));

/** "Configurations overlap": https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html */
function refuseOverlap(bucket: string, rules: Rule[]): void {
  const clash = (a: Rule, b: Rule) =>
    a.events.some((one) => b.events.some((other) => covers(one, other) || covers(other, one))) &&
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix));
  for (const [at, rule] of rules.entries()) {
    const other = rules.slice(at + 1).find((candidate) => clash(rule, candidate));
    if (other)
      throw new StartError(
        `The notifications ${rule.id} and ${other.id} of the bucket ${bucket} overlap: S3 would refuse them.`,
      );
  }
}

/** The first message of a queue that a bucket notifies is no record: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function sendTestEvent(
  { db, queues, clock }: { db: DatabaseSync; queues: Queues; clock: Clock },
  bucket: string,
  queueArn: string,
): void {
  db.exec(`CREATE TABLE IF NOT EXISTS queue_notified (
    bucket TEXT NOT NULL, queue TEXT NOT NULL, PRIMARY KEY (bucket, queue)
  ) STRICT`);
  inTransaction(db, () => {
    const insert = db.prepare("INSERT INTO queue_notified VALUES (?, ?) ON CONFLICT DO NOTHING");
    if (insert.run(bucket, queueArn).changes === 0) return;
    const event = {
      Service: "Amazon S3",
      Event: "s3:TestEvent",
      Time: new Date(clock.now()).toISOString(),
      Bucket: bucket,
      RequestId: randomUUID().replaceAll("-", "").slice(0, 16).toUpperCase(),
      HostId: randomUUID(),
    };
    queues.send(queueArn, JSON.stringify(event), { senderId: SENDER });
  });
}
