import * as Cors from "./cors.ts";
import { countDeadLetters } from "./like-counter.ts";
import * as Grants from "./grants.ts";
import { outboxDeadLetters } from "./outbox.ts";
import { ingest, ingestDeadLetters, sync } from "./ingest.ts";
import { keys } from "./keys.ts";
import * as LightFetch from "./light-fetch.ts";
import { limits } from "./limits.ts";
import { data } from "./storage.ts";

/** A function of its own, because it may scan the whole table and move dead letters. */
export const admin = new sst.aws.Function("Admin", {
  handler: "packages/api/src/admin.lambda.handler",
  description: "Answers /admin/v1, for operators",
  memory: "1024 MB",
  // the gateway waits 29 seconds
  timeout: "25 seconds",
  link: [data, ingest, ingestDeadLetters, sync, outboxDeadLetters, countDeadLetters, keys, limits],
  environment: Cors.environment,
  nodejs: LightFetch.nodejs,
  permissions: [
    Grants.items(data, ["Scan"]),
    Grants.itemsWithKeyLike(data, ["IMAGE#*", "USER#*"], ["GetItem", "UpdateItem"]),
    // an owner may have no row of usage yet
    Grants.itemsWithKeyLike(data, ["USER#*"], ["PutItem"]),
    Grants.indexQueries(data),
    Grants.messages(ingest, ["SendMessage", "GetQueueAttributes"]),
    // SQS moves the messages with the permissions of the caller:
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    Grants.messages(ingestDeadLetters, [
      "StartMessageMoveTask",
      "ReceiveMessage",
      "DeleteMessage",
      "GetQueueAttributes",
    ]),
    ...[sync, outboxDeadLetters, countDeadLetters].map((queue) =>
      Grants.messages(queue, ["GetQueueAttributes"]),
    ),
  ],
});
