import * as ImageRow from "@balde/core/image.row";
import * as Queue from "@balde/core/queue";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { Resource } from "sst/resource";

// The table's stream is the outbox: the change of an image's row is the command to change its objects. No request writes to
// the table and to a queue: docs/adr/0023-the-stream-is-the-outbox.md

/** When every process that read the row before its last change has ended: the longest timeout of a function is a minute. */
const LAST_SYNC_SECONDS = 120;

/** Commands ingest to bring the objects of changed images to what their rows say. When it throws, Lambda delivers the records again. */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<void> {
  await Queue.send(Resource.Sync.url, Records.flatMap(toMessages));
}

/** The commands that a record means; empty if it changes nothing of the image's objects. */
function toMessages({ dynamodb }: DynamoDBRecord): Queue.Message[] {
  const { Keys, OldImage: before, NewImage: now } = dynamodb ?? {};
  const pk = Keys?.["pk"]?.S;
  if (!pk || !before) return [];
  const imageId = ImageRow.idOf(pk);
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
