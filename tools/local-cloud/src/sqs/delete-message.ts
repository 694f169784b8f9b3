import { type Action, authorizedQueue, required } from "./action.ts";
import { forEachEntry } from "./batch.ts";

export const DeleteMessage: Action = (call) => {
  const { arn } = authorizedQueue(call, "DeleteMessage");
  call.queues.delete(arn, required("ReceiptHandle", call.input.ReceiptHandle));
  return { result: {} };
};

export const DeleteMessageBatch: Action = (call) => {
  const { arn } = authorizedQueue(call, "DeleteMessage");
  const result = forEachEntry(call.input, ({ ReceiptHandle }) => {
    call.queues.delete(arn, required("ReceiptHandle", ReceiptHandle));
    return {};
  });
  return { result };
};

export const PurgeQueue: Action = (call) => {
  call.queues.purge(authorizedQueue(call, "PurgeQueue").arn);
  return { result: {} };
};
