import * as Cors from "./cors.ts";
import { countDead } from "./like-counter.ts";
import * as Grants from "./grants.ts";
import { ingest, ingestDead } from "./ingest.ts";
import { keys } from "./keys.ts";
import * as LightFetch from "./light-fetch.ts";
import { data } from "./storage.ts";

/** Alone in its function, because it may read the whole table and move what failed. */
export const admin = new sst.aws.Function("Admin", {
  handler: "packages/api/src/admin.lambda.handler",
  description: "Answers /admin/v1, for operators",
  memory: "1024 MB",
  // the gateway waits 29 seconds
  timeout: "25 seconds",
  link: [data, ingest, ingestDead, countDead, keys],
  environment: Cors.environment,
  nodejs: LightFetch.nodejs,
  permissions: [
    Grants.items(data, ["GetItem", "Scan"]),
    Grants.indexes(data),
    Grants.messages(ingest, ["SendMessage", "GetQueueAttributes"]),
    // SQS moves the messages in the name of who asks for it:
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    Grants.messages(ingestDead, [
      "StartMessageMoveTask",
      "ReceiveMessage",
      "DeleteMessage",
      "GetQueueAttributes",
    ]),
    Grants.messages(countDead, ["GetQueueAttributes"]),
  ],
});
