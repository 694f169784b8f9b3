import { Resource } from "sst/resource";

import * as Account from "./account.ts";
import * as Clock from "./clock.ts";
import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import {
  GetStatus,
  RemoveUser,
  type RedriveResult,
  Reprocess,
  type ReprocessResult,
  type Status,
  TakeDown,
} from "./admin.schema.ts";
import * as Queue from "./queue.ts";

export * from "./admin.schema.ts";

// Functions for operators. IAM decides who may call them (SigV4 at the gateway), so they need no signed-in user.

/** One call works for so long: well within the 25 seconds of the function, and not too long to wait for. */
const MAX_WORK_MS = 8_000;
/** One call sends at least so many commands before it stops: half a second of work, which is lost if its cursor is. */
const MAX_COMMANDS = 500;

/**
 * The depth of the queues and the number of images in each state.
 *
 * @throws cursor.invalid
 */
export const getStatus = fn(GetStatus, async ({ cursor }): Promise<Status> => {
  const { Ingest, IngestDead, Sync, OutboxDead, CountDead } = Resource;
  const [ingest, ingestDead, sync, outboxDead, countDead] = await Promise.all(
    [Ingest, IngestDead, Sync, OutboxDead, CountDead].map(({ url }) => Queue.getDepth(url)),
  );
  const images = { pending: 0, processing: 0, ready: 0, rejected: 0, deleted: 0 };
  const deadlineMs = Clock.nowMs() + MAX_WORK_MS;
  let nextKey: Dynamo.Key | undefined;
  for await (const page of Dynamo.scan({ ...allImages, startKey: decodeKey("state", cursor) })) {
    for (const { state } of page.items) images[state as keyof typeof images]++;
    nextKey = page.nextKey;
    if (Clock.nowMs() > deadlineMs) break;
  }
  const queues = {
    ingest: ingest!,
    ingestDead: ingestDead!,
    sync: sync!,
    outboxDead: outboxDead!,
    countDead: countDead!,
  };
  return { queues, images, next: encodeKey("state", nextKey) };
});

/** Starts to move the messages of ingest's dead-letter queue back to its queue; `none` if there are none. */
export async function redrive(): Promise<RedriveResult> {
  const { waiting } = await Queue.getDepth(Resource.IngestDead.url);
  if (waiting === 0) return { task: "none", messages: 0 };
  const task = await Queue.startMove(Resource.IngestDead.url, Resource.Ingest.url);
  return { task, messages: waiting };
}

/**
 * Commands ingest to prepare images again from their originals, as after a change of the encoder's settings, and to bring
 * all their objects to what the row says. Only images that are `ready` are prepared again; deleted ones are erased again.
 *
 * @throws image.not_found also if the owner has none
 * @throws cursor.invalid
 */
export const reprocess = fn(
  Reprocess,
  async ({ imageId, ownerId, cursor }): Promise<ReprocessResult> => {
    if (imageId) {
      // of a deleted image what an interrupted erase has left is erased
      if (!(await Dynamo.get(ImageRow.key(imageId)))) throw Image.notFound(imageId);
      await Queue.send(Resource.Ingest.url, [reprocessCommand(imageId)]);
      return { sent: 1, next: null };
    }
    return ownerId ? reprocessOfOwner(ownerId, cursor) : reprocessAll(cursor);
  },
);

/**
 * Deletes an image of any owner, as the owner would. Can be repeated.
 *
 * @throws image.not_found
 */
export const takeDown = fn(TakeDown, async ({ imageId }): Promise<void> => {
  const row = await Dynamo.get(ImageRow.key(imageId));
  if (!row) throw Image.notFound(imageId);
  await Image.removeOf(imageId, String(row["ownerId"]));
});

/** Deletes the account of a user with everything that belongs to it, also when the user pool has no such user any more. Can be repeated. */
export const removeUser = fn(RemoveUser, async ({ userId }): Promise<void> => {
  await Account.markForDeletion(userId);
});

async function reprocessOfOwner(
  ownerId: string,
  cursor: string | undefined,
): Promise<ReprocessResult> {
  const listName = `reprocess ${ownerId}`;
  const items = Dynamo.query({
    index: "gsi1",
    keyCondition: "#gsi1pk = :owner AND #gsi1sk > :after",
    values: {
      owner: ImageRow.ownerKey(ownerId),
      after: Cursor.decode(listName, cursor) ?? "img_",
    },
    pageSize: MAX_COMMANDS,
  });
  const ids: ImageId[] = [];
  let hasImages = cursor !== undefined;
  let next: string | null = null;
  for await (const { id, state, gsi1sk } of items) {
    hasImages = true;
    if (state === "ready") ids.push(id as ImageId);
    if (ids.length < MAX_COMMANDS) continue;
    next = Cursor.encode(listName, String(gsi1sk));
    break;
  }
  // rather than the success of nothing, which a mistyped id would get
  if (!hasImages)
    throw new VisibleError("not_found", "image.not_found", `The user ${ownerId} has no images`);
  await Queue.send(Resource.Ingest.url, ids.map(reprocessCommand));
  return { sent: ids.length, next };
}

async function reprocessAll(cursor: string | undefined): Promise<ReprocessResult> {
  const deadlineMs = Clock.nowMs() + MAX_WORK_MS;
  const readyOrDeleted = {
    filter: `${allImages.filter} AND #state IN (:ready, :deleted)`,
    values: { ...allImages.values, ready: "ready", deleted: "deleted" },
  };
  let sent = 0;
  let nextKey: Dynamo.Key | undefined;
  const pages = Dynamo.scan({ ...readyOrDeleted, startKey: decodeKey("reprocess", cursor) });
  for await (const page of pages) {
    const ids = page.items.map(({ pk }) => ImageRow.parsePartition(pk as string)!);
    await Queue.send(Resource.Ingest.url, ids.map(reprocessCommand));
    sent += page.items.length;
    nextKey = page.nextKey;
    if (sent >= MAX_COMMANDS || Clock.nowMs() > deadlineMs) break;
  }
  return { sent, next: encodeKey("reprocess", nextKey) };
}

const allImages = {
  filter: "begins_with(#pk, :image) AND #sk = :meta",
  values: { image: "IMAGE#", meta: "META" },
};

const reprocessCommand = (imageId: ImageId): Queue.Message => ({
  body: { kind: "reprocess", imageId },
});

const encodeKey = (listName: string, key: Dynamo.Key | undefined) =>
  key ? Cursor.encode(listName, `${key.pk} ${key.sk}`) : null;

function decodeKey(listName: string, cursor: string | undefined): Dynamo.Key | undefined {
  const [pk, sk] = Cursor.decode(listName, cursor)?.split(" ") ?? [];
  return pk && sk ? { pk, sk } : undefined;
}
