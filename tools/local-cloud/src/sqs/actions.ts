import type { Action } from "./action.ts";
import {
  ChangeMessageVisibility,
  ChangeMessageVisibilityBatch,
} from "./change-message-visibility.ts";
import { DeleteMessage, DeleteMessageBatch, PurgeQueue } from "./delete-message.ts";
import { ListMessageMoveTasks, StartMessageMoveTask } from "./message-move-task.ts";
import { GetQueueAttributes, GetQueueUrl, ListQueues } from "./queue-attributes.ts";
import { ReceiveMessage } from "./receive-message.ts";
import { SendMessage, SendMessageBatch } from "./send-message.ts";

/** The actions that are emulated, by AWS's name. */
export const actions = new Map<string, Action>(
  Object.entries({
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch,
    DeleteMessage,
    DeleteMessageBatch,
    GetQueueAttributes,
    GetQueueUrl,
    ListMessageMoveTasks,
    ListQueues,
    PurgeQueue,
    ReceiveMessage,
    SendMessage,
    SendMessageBatch,
    StartMessageMoveTask,
  }),
);
