import * as Grants from "./grants.ts";
import { limits } from "./limits.ts";
import * as Settings from "./settings.ts";
import { data, images } from "./storage.ts";

const settings = Settings.ofStage($app.stage);

/** The dead-letter queue of messages that failed twenty times; `POST /admin/v1/redrive` moves them back. */
export const ingestDeadLetters = new sst.aws.Queue("IngestDead", {
  // the maximum, so that an operator has time to react
  transform: { queue: { messageRetentionSeconds: 14 * 24 * 3600 } },
});

// Of messages that Lambda has received and not yet given to the function, which shortens it while it works
// (packages/functions/src/ingest/message-lease.ts). The least that AWS allows, the function's timeout: a process that is killed
// in its first milliseconds has shortened nothing. AWS recommends six times as much, for functions without leases:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
const visibilityTimeout = "90 seconds";
// An hour: ingest itself doubles the delay after each attempt, from a second to five minutes, also for attempts whose process
// was killed. An outage of AWS that is shorter costs no message.
const dlq = { queue: ingestDeadLetters.arn, retry: 20 };

/** The events of uploads, and commands of operators. */
export const ingest = new sst.aws.Queue("Ingest", { visibilityTimeout, dlq });

/** Commands to bring an image's objects to what its row says. A queue of its own, so that hiding a picture does not wait behind uploads. */
export const sync = new sst.aws.Queue("Sync", { visibilityTimeout, dlq });

// SST lets S3, SNS and EventBridge of every account send to the queue
$transform(aws.sqs.QueuePolicy, (args, _options, name) => {
  if (!name.startsWith("ImagesNotifications")) return;
  args.policy = $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: ingest.arn,
        Condition: {
          ArnEquals: { "aws:SourceArn": images.arn },
          // another account can take the name of a deleted bucket
          StringEquals: { "aws:SourceAccount": aws.getCallerIdentityOutput().accountId },
        },
      },
    ],
  });
});

images.notify({
  notifications: [
    {
      name: "Uploaded",
      queue: ingest,
      events: ["s3:ObjectCreated:*"],
      filterPrefix: "uploads/",
    },
  ],
});

/** The partitions of an image, of its name and of its owner's usage. */
const keysOfImages = ["IMAGE#*", "NAME#*", "MADE#*", "TAGGED#*", "USER#*"];

const ingestHandler = new sst.aws.Function("IngestHandler", {
  handler: "packages/functions/src/ingest/handler.handler",
  description: "Checks uploads, stores originals and renders the ladder",
  // one whole processor begins at 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
  memory: "1769 MB",
  // 40 seconds for the pixels; the rest is for reading 500 MiB into /tmp and copying them within S3, of which AWS promises no speed
  timeout: "90 seconds",
  // the original, and libvips' own file for what cannot be read row by row: 50 megapixels of an interlaced PNG with 16 bits are 400 MB
  storage: "1 GB",
  link: [images, data, limits, ingest, sync],
  permissions: [
    Grants.pollQueue(ingest),
    Grants.pollQueue(sync),
    // a message that has to wait is sent again
    Grants.messages(ingest, ["SendMessage"]),
    Grants.messages(sync, ["SendMessage"]),
    Grants.objects(
      images,
      ["uploads/*"],
      ["GetObject", "DeleteObject", "DeleteObjectVersion", "AbortMultipartUpload"],
    ),
    // a deleted image may have an upload in parts
    Grants.listing(images, ["uploads/*"], ["ListBucketMultipartUploads"]),
    Grants.objects(
      images,
      ["originals/*", "ladder/*", "derived/*", "images/*"],
      ["PutObject", "DeleteObject", "DeleteObjectVersion"],
    ),
    Grants.objects(images, ["originals/*"], ["GetObject"]),
    // the metadata of a copy says which image it was stored for
    Grants.objects(images, ["images/*"], ["GetObject", "GetObjectVersion"]),
    Grants.listForNotFound(images),
    Grants.listing(
      images,
      ["uploads/*", "originals/*", "ladder/*", "derived/*", "images/*"],
      ["ListBucketVersions"],
    ),
    Grants.itemsWithKeyLike(data, keysOfImages, ["GetItem", "PutItem", "UpdateItem"]),
    // what belongs to an image, or to a user whose account is deleted
    Grants.itemsWithKeyLike(
      data,
      [...keysOfImages, "LIKE#*", "IDEMPOTENCY#*"],
      ["Query", "DeleteItem"],
    ),
    // what belongs to a user whose account is deleted, and the images of an owner who has no row of usage yet
    Grants.indexQueries(data),
  ],
  // these are not bundled; their versions equal those in the workspace's catalog (a test compares them)
  nodejs: { install: { sharp: "0.35.5", "libheif-js": "1.23.2" } },
});

for (const queue of [ingest, sync])
  queue.subscribe(
    ingestHandler.arn,
    {
      // an image may take nearly half of the function's timeout, so a batch of several could time out
      batch: { size: 1, partialResponses: true },
      transform: {
        eventSourceMapping: {
          scalingConfig: { maximumConcurrency: settings.ingestConcurrency },
        },
      },
    },
    { dependsOn: ingestHandler },
  );
