import {
  type Action,
  type Call,
  type Input,
  authorizedQueue,
  required,
  visibilityTimeout,
} from "./action.ts";
import { forEachEntry } from "./batch.ts";

export const ChangeMessageVisibility: Action = (call) => {
  const { arn } = authorizedQueue(call, "ChangeMessageVisibility");
  return { result: change(call, arn, call.input) };
};

export const ChangeMessageVisibilityBatch: Action = (call) => {
  const { arn } = authorizedQueue(call, "ChangeMessageVisibility");
  return { result: forEachEntry(call.input, (entry) => change(call, arn, entry)) };
};

function change({ queues }: Call, arn: string, entry: Input): object {
  const seconds = required("VisibilityTimeout", entry.VisibilityTimeout);
  const receipt = required("ReceiptHandle", entry.ReceiptHandle);
  queues.changeVisibility(arn, receipt, visibilityTimeout(seconds));
  return {};
}
