import type { SQSEvent } from "aws-lambda";

/** Messages as the event source mapping delivers them, with receipts that no queue gave out: to hide them does nothing. */
export const sqsEvent = (...bodies: string[]): SQSEvent => ({
  Records: bodies.map((body, index) => ({
    messageId: String(index),
    receiptHandle: "none",
    body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "0",
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "0",
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:eu-central-1:123456789012:${queueName()}`,
    awsRegion: "eu-central-1",
  })),
});

const queueName = () => JSON.parse(process.env["SST_RESOURCE_Ingest"]!).url.split("/").at(-1);
