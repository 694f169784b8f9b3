import * as z from "zod/mini";

import { ignored, only, optionalNumber, optionalString, resourceType } from "./properties.ts";

const AT_REST = "messages are not encrypted on this disk";

export const sqs = {
  "aws:sqs/queue:Queue": resourceType(
    {
      delaySeconds: optionalNumber,
      maxMessageSize: optionalNumber,
      messageRetentionSeconds: optionalNumber,
      policy: optionalString,
      receiveWaitTimeSeconds: optionalNumber,
      redrivePolicy: optionalString,
      visibilityTimeoutSeconds: optionalNumber,
      fifoQueue: only(false),
      contentBasedDeduplication: only(false),
      kmsMasterKeyId: ignored(AT_REST),
      kmsDataKeyReusePeriodSeconds: ignored(AT_REST),
      sqsManagedSseEnabled: ignored(AT_REST),
    },
    { arn: z.string(), url: optionalString },
  ),
  "aws:sqs/queuePolicy:QueuePolicy": resourceType({ queueUrl: z.string(), policy: z.string() }, {}),
};
