import * as AwsRequest from "./aws-request.ts";

/** Errors of a message that was deleted, or is visible again. */
const GONE = ["MessageNotInflight", "ReceiptHandleIsInvalid"];

/**
 * Hides a received message for `seconds` from now on, or shows it at once with 0. One that was deleted, or that is visible
 * again, stays as it is. Rejects with an `AwsError` or a network error. Without the SDK, because ingest calls it for every message.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
export async function change(
  queueUrl: string,
  receiptHandle: string,
  seconds: number,
): Promise<void> {
  const call = {
    service: "sqs",
    method: "POST",
    path: "/",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.ChangeMessageVisibility",
    },
    body: JSON.stringify({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }),
  } as const;
  try {
    (await AwsRequest.send(call)).body.resume();
  } catch (error) {
    if (!(error instanceof AwsRequest.AwsError && GONE.includes(error.code))) throw error;
  }
}
