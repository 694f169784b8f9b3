import * as Grants from "./grants.ts";
import { data } from "./storage.ts";

/** Where the stream's positions end that could not be counted; the records themselves stay in the table. */
export const countDead = new sst.aws.Queue("CountDead", {
  transform: { queue: { messageRetentionSeconds: 14 * 24 * 3600 } },
});

export const count = new sst.aws.Function("Count", {
  handler: "packages/functions/src/like-counter/handler.handler",
  description: "Counts likes from the table's stream",
  memory: "512 MB",
  timeout: "30 seconds",
  link: [data],
  permissions: [
    Grants.stream(data.nodes.table.streamArn),
    Grants.items(data, ["GetItem", "Query", "PutItem"]),
    Grants.messages(countDead, ["SendMessage"]),
  ],
});

data.subscribe("Count", count.arn, {
  // a like comes or goes; the count that is written down is a change of the table too
  filters: [
    {
      eventName: ["INSERT", "REMOVE"],
      dynamodb: { Keys: { pk: { S: [{ prefix: "LIKE#" }] } } },
    },
  ],
  transform: {
    eventSourceMapping: {
      batchSize: 100,
      // a page shows a like within a second of the click: no window
      maximumBatchingWindowInSeconds: 0,
      // a record that cannot be counted must not stop those behind it until it is a day old
      bisectBatchOnFunctionError: true,
      functionResponseTypes: ["ReportBatchItemFailures"],
      maximumRetryAttempts: 10,
      maximumRecordAgeInSeconds: 3600,
      destinationConfig: { onFailure: { destinationArn: countDead.arn } },
    },
  },
});
