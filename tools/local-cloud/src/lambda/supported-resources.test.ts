import { expect, test } from "vitest";

import { mappingWorld } from "./event-source-mapping/mapping.fixture.ts";
import { queue, resource } from "../sqs/queues.fixture.ts";

const started = (given: Partial<Parameters<typeof mappingWorld>[0]>) =>
  mappingWorld({ handler: () => null, ...given }).then(
    (world) => world.stop(),
    (error: Error) => error.message,
  );

test.each<[string, string, Partial<Parameters<typeof mappingWorld>[0]>]>([
  [
    "several batches of a shard at once",
    "parallelizationFactor = 2",
    { table: true, mapping: { parallelizationFactor: 2 } },
  ],
  [
    "a tumbling window",
    "tumblingWindowInSeconds = 30",
    { table: true, mapping: { tumblingWindowInSeconds: 30 } },
  ],
  [
    "pollers that are paid for",
    "provisionedPollerConfig",
    { mapping: { provisionedPollerConfig: { minimumPollers: 2 } } },
  ],
  ["settings of a version", 'qualifier = "live"', { eventConfig: { qualifier: "live" } }],
  [
    "who may have the queue for its dead letters",
    "redriveAllowPolicy",
    { queues: [queue("jobs", { redriveAllowPolicy: "{}" }), queue("dead")] },
  ],
  ...(
    [
      "aws:sns/topic:Topic",
      "aws:cloudwatch/eventRule:EventRule",
      "aws:scheduler/schedule:Schedule",
      "aws:lambda/functionUrl:FunctionUrl",
      "aws:lambda/alias:Alias",
      "aws:sqs/redrivePolicy:RedrivePolicy",
    ] as const
  ).map((type): [string, string, { queues: ReturnType<typeof queue>[] }] => [
    type,
    `a ${type}, which is not emulated`,
    { queues: [queue("jobs"), queue("dead"), resource(type, "one", {}, {})] },
  ]),
])("%s stops the start, by name", async (_, words, given) => {
  expect(await started(given)).toContain(words);
});

test.each<[string, string, Partial<Parameters<typeof mappingWorld>[0]>]>([
  [
    "a queue that gives a message out again while its function works on it",
    "visibility timeout of 30 s is less than the function's timeout of 60 s",
    { mapping: {}, inputs: { timeout: 60 } },
  ],
  [
    "a batch of more than ten without a window",
    "needs maximumBatchingWindowInSeconds",
    { mapping: { batchSize: 11 } },
  ],
])("%s is what AWS would not make", async (_, words, given) => {
  expect(await started(given)).toContain(words);
});
