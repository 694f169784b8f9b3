import { users } from "./auth.ts";
import * as Grants from "./grants.ts";
import { sync } from "./ingest.ts";
import { data } from "./storage.ts";

/** The dead-letter queue of stream records that could not be sent on for a day: it holds their positions. */
export const outboxDeadLetters = new sst.aws.Queue("OutboxDead", {
  transform: { queue: { messageRetentionSeconds: 14 * 24 * 3600 } },
});

const outbox = new sst.aws.Function("Outbox", {
  handler: "packages/functions/src/outbox/handler.handler",
  description: "Commands ingest to follow changes of images and users",
  memory: "512 MB",
  timeout: "30 seconds",
  link: [sync, users],
  permissions: [
    Grants.readStream(data.nodes.table.streamArn),
    Grants.messages(sync, ["SendMessage"]),
    Grants.messages(outboxDeadLetters, ["SendMessage"]),
    { actions: ["cognito-idp:ListUsers", "cognito-idp:AdminDeleteUser"], resources: [users.arn] },
  ],
});

const userRow = { pk: { S: [{ prefix: "USER#" }] } };
const imageRow = { pk: { S: [{ prefix: "IMAGE#" }] }, sk: { S: ["META"] } };

data.subscribe("Outbox", outbox.arn, {
  // ingest itself does what belongs to the other changes
  filters: [
    {
      eventName: ["MODIFY"],
      dynamodb: { Keys: imageRow, NewImage: { state: { S: ["deleted"] } } },
    },
    {
      eventName: ["MODIFY"],
      dynamodb: {
        Keys: imageRow,
        OldImage: { state: { S: ["ready"] } },
        NewImage: { state: { S: ["ready"] } },
      },
    },
    { eventName: ["REMOVE"], dynamodb: { Keys: imageRow } },
    {
      eventName: ["INSERT", "MODIFY"],
      dynamodb: { Keys: userRow, NewImage: { deletingAt: { S: [{ exists: true }] } } },
    },
    {
      eventName: ["REMOVE"],
      dynamodb: { Keys: userRow, OldImage: { deletingAt: { S: [{ exists: true }] } } },
    },
  ],
  transform: {
    eventSourceMapping: {
      batchSize: 100,
      // no window, so that a picture is hidden within a second
      maximumBatchingWindowInSeconds: 0,
      bisectBatchOnFunctionError: true,
      // while SQS is out of service, until the record is a day old: then the stream has lost it
      maximumRetryAttempts: -1,
      maximumRecordAgeInSeconds: 24 * 3600,
      destinationConfig: { onFailure: { destinationArn: outboxDeadLetters.arn } },
    },
  },
});
