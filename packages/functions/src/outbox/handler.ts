import * as ImageRow from "@balde/core/image.row";
import * as Queue from "@balde/core/queue";
import * as UsageRow from "@balde/core/usage.row";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { Resource } from "sst/resource";

import { deleteSignIn } from "./delete-sign-in.ts";

// The table's stream is the outbox: the change of a row is the command to change what depends on it. No request writes to
// the table and to another service: docs/adr/0023-the-stream-is-the-outbox.md

/** When every process that read the row before its last change has ended: the longest timeout of a function is a minute and a half. */
const LAST_SYNC_SECONDS = 120;

/** Commands ingest to bring what belongs to changed images and deleted users to what their rows say. When it throws, Lambda delivers the records again. */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<void> {
  const deletedUsers = Records.flatMap(toDeletedUser);
  for (const userId of new Set(deletedUsers)) await deleteSignIn(userId);
  const messages = [...Records.flatMap(imageMessages), ...deletedUsers.flatMap(userMessages)];
  await Queue.send(Resource.Sync.url, messages);
}

/** The commands that the change of an image means; empty if it changes nothing of the image's objects, and for any other row. */
function imageMessages({ dynamodb }: DynamoDBRecord): Queue.Message[] {
  const { Keys, OldImage: before, NewImage: now } = dynamodb ?? {};
  const imageId = ImageRow.parsePartition(Keys?.["pk"]?.S ?? "");
  if (!imageId || !before) return [];
  const name = before["name"]?.S;
  // by its TTL: of a pending or rejected image, or of a tombstone
  if (!now) return [{ body: { kind: "sync", imageId, name } }];
  if (now["state"]?.S === "deleted") {
    // the removal of the name from the tombstone does not count a version
    if (now["version"]?.N === before["version"]?.N) return [];
    const last = { kind: "sync", imageId, isLast: true };
    return [{ body: { kind: "sync", imageId } }, { body: last, delaySeconds: LAST_SYNC_SECONDS }];
  }
  const isVisibilityChanged = now["visibility"]?.S !== before["visibility"]?.S;
  return isVisibilityChanged ? [{ body: { kind: "sync", imageId } }] : [];
}

/** The id of the user that the record marks for deletion, or whose mark has expired; empty for any other record. */
function toDeletedUser({ dynamodb }: DynamoDBRecord): string[] {
  const { Keys, OldImage: before, NewImage: now } = dynamodb ?? {};
  const userId = UsageRow.parsePartition(Keys?.["pk"]?.S ?? "");
  const [wasMarked, isMarked] = [before?.["deletingAt"]?.S, now?.["deletingAt"]?.S];
  return userId && wasMarked !== isMarked ? [userId] : [];
}

/** Twice as for an image: what other processes still add for the user is erased, too. */
const userMessages = (userId: string): Queue.Message[] => [
  { body: { kind: "eraseUser", userId } },
  { body: { kind: "eraseUser", userId }, delaySeconds: LAST_SYNC_SECONDS },
];
