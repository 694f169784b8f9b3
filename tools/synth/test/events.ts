import { describe, expect, test } from "vitest";

import { type Graph, named, ofType, type Resource } from "../src/graph.ts";
import * as Read from "./read.ts";

export const events = (graphs: () => Read.Graphs) =>
  describe("events", () => {
    test("what is uploaded is announced to the queue, and nothing else is", () => {
      const { laptop } = graphs();
      const [notification, ...others] = ofType(
        laptop,
        "aws:s3/bucketNotification:BucketNotification",
      );
      expect(others).toEqual([]);
      expect(notification!.inputs.queues).toEqual([
        {
          id: "Uploaded",
          queueArn: named(laptop, "IngestQueue").outputs.arn,
          events: ["s3:ObjectCreated:*"],
          filterPrefix: "uploads/",
        },
      ]);
      expect(notification!.inputs.lambdaFunctions ?? []).toEqual([]);
      expect(notification!.dependsOn).toContain(
        ofType(laptop, "aws:sqs/queuePolicy:QueuePolicy")[0]!.urn,
      );
    });

    test("only our bucket of our account may put events into the queue", () => {
      for (const graph of Object.values(graphs())) {
        const queue = named(graph, "IngestQueue");
        const policies = ofType(graph, "aws:sqs/queuePolicy:QueuePolicy");
        expect(policies.map(({ inputs }) => inputs.queueUrl)).toEqual([queue.id]);
        expect(Read.statements(policies[0]!.inputs.policy)).toEqual([
          {
            Effect: "Allow",
            Principal: { Service: "s3.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: queue.outputs.arn,
            Condition: {
              ArnEquals: { "aws:SourceArn": ofType(graph, "aws:s3/bucket:Bucket")[0]!.outputs.arn },
              StringEquals: { "aws:SourceAccount": graph.account },
            },
          },
        ]);
      }
    });

    test("what fails five times waits two weeks in the dead-letter queue", () => {
      const { laptop } = graphs();
      const redrive = JSON.parse(named(laptop, "IngestQueue").inputs.redrivePolicy);
      const dead = named(laptop, "IngestDeadQueue");
      expect(redrive).toEqual({ deadLetterTargetArn: dead.outputs.arn, maxReceiveCount: 5 });
      expect(dead.inputs.messageRetentionSeconds).toBe(1_209_600);
      expect(dead.inputs.redrivePolicy).toBeUndefined();
    });

    test("a message is not given out again while its function still works on it", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const polled = mappings(graph).filter(
          ({ source }) => source.type === "aws:sqs/queue:Queue",
        );
        expect(polled).toHaveLength(1);
        for (const { mapping, source, handler } of polled) {
          const { timeout } = handler.inputs;
          const window = mapping.inputs.maximumBatchingWindowInSeconds ?? 0;
          expect(source.inputs.visibilityTimeoutSeconds).toBeGreaterThanOrEqual(
            6 * timeout + window,
          );
        }
      }
    });

    test("one bad record does not take its neighbours with it", () => {
      const kinds = mappings(graphs().laptop).map(
        ({ mapping }) => mapping.inputs.functionResponseTypes,
      );
      expect(kinds).toEqual([["ReportBatchItemFailures"], ["ReportBatchItemFailures"]]);
    });

    test("a function may read what it is fed from", () => {
      const { laptop } = graphs();
      const missing = mappings(laptop).flatMap(({ source, handler, mapping }) => {
        const needed = source.type.startsWith("aws:sqs")
          ? ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
          : ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
        const granted = Read.rights(Read.roleOf(laptop, handler))
          .filter(({ Resource }) => Read.list(Resource).includes(mapping.inputs.eventSourceArn))
          .flatMap(({ Action }) => Action);
        return needed.filter((action) => !granted.includes(action));
      });
      expect(missing).toEqual([]);
    });

    test("likes are counted at once, and a record that cannot be counted ends in a queue that Count may write to", () => {
      const { laptop } = graphs();
      const { mapping, handler } = mappings(laptop).find(
        ({ source }) => source.type === "aws:dynamodb/table:Table",
      )!;
      const dead = named(laptop, "CountDeadQueue");
      expect(Read.logical(laptop, handler)).toBe("Count");
      expect(mapping.inputs).toMatchObject({
        startingPosition: "LATEST",
        filterCriteria: {
          filters: [
            {
              pattern: JSON.stringify({
                eventName: ["INSERT", "REMOVE"],
                dynamodb: { Keys: { pk: { S: [{ prefix: "LIKE#" }] } } },
              }),
            },
          ],
        },
        maximumBatchingWindowInSeconds: 0,
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: 10,
        maximumRecordAgeInSeconds: 3600,
        destinationConfig: { onFailure: { destinationArn: dead.outputs.arn } },
      });
      expect(Read.rights(Read.roleOf(laptop, handler))).toContainEqual({
        Effect: "Allow",
        Action: "sqs:SendMessage",
        Resource: dead.outputs.arn,
      });
    });

    test("a burst of uploads does not take every function of the account", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const { mapping } = mappings(graph).find(
          ({ source }) => source.type === "aws:sqs/queue:Queue",
        )!;
        expect(mapping.inputs.scalingConfig.maximumConcurrency).toBeGreaterThanOrEqual(2);
        expect(mapping.inputs.scalingConfig.maximumConcurrency).toBeLessThanOrEqual(100);
      }
    });
  });

/** What feeds which function. */
function mappings(graph: Graph): { mapping: Resource; source: Resource; handler: Resource }[] {
  return ofType(graph, "aws:lambda/eventSourceMapping:EventSourceMapping").map((mapping) => ({
    mapping,
    source: graph.resources.find(({ outputs }) =>
      [outputs.arn, outputs.streamArn].includes(mapping.inputs.eventSourceArn),
    )!,
    handler: Read.functionOf(graph, mapping.inputs.functionName),
  }));
}
