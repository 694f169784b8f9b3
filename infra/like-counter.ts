import * as Grants from "./grants.ts";
import { data } from "./storage.ts";

/** The dead-letter queue of stream records that could not be counted: it holds their positions, the likes stay in the table. */
export const countDeadLetters = new sst.aws.Queue("CountDead", {
  transform: { queue: { messageRetentionSeconds: 14 * 24 * 3600 } },
});

export const count = new sst.aws.Function("Count", {
  handler: "packages/functions/src/like-counter/handler.handler",
  description: "Counts likes from the table's stream",
  memory: "512 MB",
  timeout: "30 seconds",
  link: [data],
  permissions: [
    Grants.readStream(data.nodes.table.streamArn),
    Grants.itemsWithKeyLike(data, ["IMAGE#*"], ["GetItem", "PutItem"]),
    Grants.itemsWithKeyLike(data, ["LIKE#*"], ["Query"]),
    Grants.messages(countDeadLetters, ["SendMessage"]),
  ],
});

data.subscribe("Count", count.arn, {
  // likes only: the counts that this function writes are changes of the table too
  filters: [
    {
      eventName: ["INSERT", "REMOVE"],
      dynamodb: { Keys: { pk: { S: [{ prefix: "LIKE#" }] } } },
    },
  ],
  transform: {
    eventSourceMapping: {
      batchSize: 100,
      // no window, so that a page shows a like within a second of the click
      maximumBatchingWindowInSeconds: 0,
      // a record that cannot be counted must not block the next ones until it is a day old
      bisectBatchOnFunctionError: true,
      functionResponseTypes: ["ReportBatchItemFailures"],
      maximumRetryAttempts: 10,
      maximumRecordAgeInSeconds: 3600,
      destinationConfig: { onFailure: { destinationArn: countDeadLetters.arn } },
    },
  },
});
