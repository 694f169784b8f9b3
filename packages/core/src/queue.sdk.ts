// queue.ts loads this file on its first call, so that other functions do not pay for the import.
export {
  GetQueueAttributesCommand,
  SQSClient,
  SendMessageBatchCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
