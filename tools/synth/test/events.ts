import { describe, expect, test } from "vitest";

import { type Graph, resourceNamed, resourcesOfType, type Resource } from "../src/graph.ts";
import * as Read from "./read.ts";

export const events = (graphs: () => Read.Graphs) =>
  describe("events", () => {
    test("the bucket notifies the queue of uploads and of nothing else", () => {
      const { laptop } = graphs();
      const [notification, ...others] = resourcesOfType(
        laptop,
        "aws:s3/bucketNotification:BucketNotification",
      );
      expect(others).toEqual([]);
      expect(notification!.inputs.queues).toEqual([
        {
          id: "Uploaded",
          queueArn: resourceNamed(laptop, "IngestQueue").outputs.arn,
          events: ["s3:ObjectCreated:*"],
          filterPrefix: "uploads/",
        },
      ]);
      expect(notification!.inputs.lambdaFunctions ?? []).toEqual([]);
      expect(notification!.dependsOn).toContain(
        resourceNamed(laptop, "ImagesNotificationsNotificationUploadedPolicy").urn,
      );
    });

    test("only our bucket in our account may send events to the queue", () => {
      for (const graph of Object.values(graphs())) {
        const queue = resourceNamed(graph, "IngestQueue");
        const policies = resourcesOfType(graph, "aws:sqs/queuePolicy:QueuePolicy").filter(
          ({ inputs }) => inputs.queueUrl === queue.id,
        );
        expect(policies).toHaveLength(1);
        expect(Read.statements(policies[0]!.inputs.policy)).toEqual([
          {
            Effect: "Allow",
            Principal: { Service: "s3.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: queue.outputs.arn,
            Condition: {
              ArnEquals: {
                "aws:SourceArn": resourcesOfType(graph, "aws:s3/bucket:Bucket")[0]!.outputs.arn,
              },
              StringEquals: { "aws:SourceAccount": graph.account },
            },
          },
        ]);
      }
    });

    test("only the rule of deleted users may send to the queue of commands, from outside", () => {
      for (const graph of Object.values(graphs())) {
        const rule = resourceNamed(graph, "UserDeleted");
        const queue = resourceNamed(graph, "SyncQueue");
        const policies = resourcesOfType(graph, "aws:sqs/queuePolicy:QueuePolicy").filter(
          ({ inputs }) => inputs.queueUrl === queue.id,
        );
        expect(policies.flatMap(({ inputs }) => Read.statements(inputs.policy))).toEqual([
          {
            Effect: "Allow",
            Principal: { Service: "events.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: queue.outputs.arn,
            Condition: { ArnEquals: { "aws:SourceArn": rule.outputs.arn } },
          },
        ]);
        const [pool] = resourcesOfType(graph, "aws:cognito/userPool:UserPool");
        expect(JSON.parse(rule.inputs.eventPattern).detail.$or[1]).toEqual({
          eventName: ["AdminDeleteUser"],
          requestParameters: { userPoolId: [pool!.id] },
        });
      }
    });

    test("a message that fails twenty times is kept for two weeks in the dead-letter queue", () => {
      const { laptop } = graphs();
      const dead = resourceNamed(laptop, "IngestDeadQueue");
      for (const name of ["IngestQueue", "SyncQueue"])
        expect(JSON.parse(resourceNamed(laptop, name).inputs.redrivePolicy)).toEqual({
          deadLetterTargetArn: dead.outputs.arn,
          maxReceiveCount: 20,
        });
      expect(dead.inputs.messageRetentionSeconds).toBe(1_209_600);
      expect(dead.inputs.redrivePolicy).toBeUndefined();
    });

    test("a message waits for its function for as long as AWS demands", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const polled = mappings(graph).filter(
          ({ source }) => source.type === "aws:sqs/queue:Queue",
        );
        expect(polled.map(({ source }) => source.name)).toEqual(["IngestQueue", "SyncQueue"]);
        for (const { mapping, source, handler } of polled) {
          const { timeout } = handler.inputs;
          const window = mapping.inputs.maximumBatchingWindowInSeconds ?? 0;
          expect(source.inputs.visibilityTimeoutSeconds).toBeGreaterThanOrEqual(timeout + window);
        }
      }
    });

    test("one bad record does not fail the rest of its batch", () => {
      const kinds = mappings(graphs().laptop).map(({ mapping, handler }) => [
        Read.logical(graphs().laptop, handler),
        mapping.inputs.functionResponseTypes,
      ]);
      // a command of Outbox that is sent twice does no harm, so it reports nothing; its batches are bisected
      expect(kinds).toEqual([
        ["Count", ["ReportBatchItemFailures"]],
        ["Outbox", undefined],
        ["IngestHandler", ["ReportBatchItemFailures"]],
        ["IngestHandler", ["ReportBatchItemFailures"]],
      ]);
    });

    test("each function may read from its event source", () => {
      const { laptop } = graphs();
      const missing = mappings(laptop).flatMap(({ source, handler, mapping }) => {
        const needed = source.type.startsWith("aws:sqs")
          ? ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
          : ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
        const granted = Read.permissionsOf(Read.roleOf(laptop, handler))
          .filter(({ Resource }) => Read.list(Resource).includes(mapping.inputs.eventSourceArn))
          .flatMap(({ Action }) => Action);
        return needed.filter((action) => !granted.includes(action));
      });
      expect(missing).toEqual([]);
    });

    test("likes are counted without a batching window, and a failed record ends in a queue that Count may write to", () => {
      const { laptop } = graphs();
      const { mapping, handler } = mappings(laptop).find(
        ({ handler }) => Read.logical(laptop, handler) === "Count",
      )!;
      const dead = resourceNamed(laptop, "CountDeadQueue");
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
      expect(Read.permissionsOf(Read.roleOf(laptop, handler))).toContainEqual({
        Effect: "Allow",
        Action: "sqs:SendMessage",
        Resource: dead.outputs.arn,
      });
    });

    test("a change of what is public is commanded without a batching window, until SQS takes the command", () => {
      const { laptop } = graphs();
      const { mapping } = mappings(laptop).find(
        ({ handler }) => Read.logical(laptop, handler) === "Outbox",
      )!;
      const dead = resourceNamed(laptop, "OutboxDeadQueue");
      expect(mapping.inputs).toMatchObject({
        maximumBatchingWindowInSeconds: 0,
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: -1,
        maximumRecordAgeInSeconds: 86_400,
        destinationConfig: { onFailure: { destinationArn: dead.outputs.arn } },
      });
    });

    test("a burst of uploads does not use up the account's concurrency", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const { mapping } = mappings(graph).find(
          ({ source }) => source.type === "aws:sqs/queue:Queue",
        )!;
        expect(mapping.inputs.scalingConfig.maximumConcurrency).toBeGreaterThanOrEqual(2);
        expect(mapping.inputs.scalingConfig.maximumConcurrency).toBeLessThanOrEqual(100);
      }
    });
  });

/** The event source mappings of a function. */
function mappings(graph: Graph): { mapping: Resource; source: Resource; handler: Resource }[] {
  return resourcesOfType(graph, "aws:lambda/eventSourceMapping:EventSourceMapping").map(
    (mapping) => ({
      mapping,
      source: graph.resources.find(({ outputs }) =>
        [outputs.arn, outputs.streamArn].includes(mapping.inputs.eventSourceArn),
      )!,
      handler: Read.functionOf(graph, mapping.inputs.functionName),
    }),
  );
}
