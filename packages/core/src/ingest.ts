import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import type { Reason } from "./image.schema.ts";
import * as ImageTag from "./image-tag.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import * as RenderLease from "./render-lease.ts";

// The states of an image's row from its upload to `ready` or `rejected`. S3 sends an event at least once and in any order:
// every write is conditional on the event that caused it, and none undoes what a later event did. The objects of an image
// are in packages/functions/src/ingest/image-objects.ts.

/** The event of an upload. S3's sequencers order the events of one key. */
export type UploadEvent = { id: ImageId; sequencer: string };

export type Image = ImageRow.Row;

/** An upload through `PUT /s3`: what its key and its event say. `uploadedAt` in ISO 8601. */
export type NamedUpload = Pick<ImageRow.Row, "id" | "ownerId" | "name" | "type" | "bytes"> & {
  uploadedAt: string;
};

/** What ingest finds out about an image. */
export type Findings = Required<
  Pick<
    ImageRow.Row,
    | "type"
    | "bytes"
    | "width"
    | "height"
    | "hasAlpha"
    | "pages"
    | "rev"
    | "color"
    | "thumbhash"
    | "credit"
    | "rungs"
  >
>;

/** Creates the pending image of an upload that did not come through the API. Changes nothing if the image exists. */
export async function createFromNamedUpload({ uploadedAt, ...about }: NamedUpload): Promise<void> {
  const row: ImageRow.Row = {
    ...about,
    state: "pending",
    visibility: "public",
    tags: [],
    createdAt: uploadedAt,
    updatedAt: uploadedAt,
    version: 1,
    expiresAt: Clock.nowSeconds() + Clock.DAY_SECONDS,
  };
  await Dynamo.put({ item: ImageRow.item(row), condition: "attribute_not_exists(#pk)" });
}

/**
 * The image, `processing` from now on. undefined if there is nothing to do: the image is ready, deleted or unknown, or a
 * later upload of it is processed.
 */
export async function startProcessing(event: UploadEvent): Promise<Image | undefined> {
  const item = await ImageRow.update({
    id: event.id,
    set: { state: "processing", sequencer: padded(event.sequencer) },
    remove: ["expiresAt", "reason"],
    add: { attempts: 1 },
    condition: `#state IN (:pending, :state, :rejected)
      AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)
      AND (attribute_not_exists(#sequencer) OR #sequencer < :sequencer OR (#sequencer = :sequencer AND #state = :state))`,
    values: { pending: "pending", rejected: "rejected", now: Clock.nowSeconds() },
  });
  return ImageRow.parse(item);
}

/**
 * The image, ready from now on, and in the feed if it is public. All its objects must be stored before. undefined if it was
 * deleted or a later upload is processed. `image` is the row as `startProcessing` returned it: unless its owner has changed
 * it since, it is not read again.
 */
export async function markReady(
  event: UploadEvent,
  image: Image,
  findings: Findings,
): Promise<Image | undefined> {
  const { id } = event;
  await LikeCount.create(id);
  let seen: Image | undefined = image;
  while (seen && isProcessing(seen, event)) {
    const ready = { ...seen, ...findings, state: "ready" as const };
    const feed = seen.visibility === "public" ? Feed.attributes(id) : {};
    const set = { ...findings, state: ready.state, ...feed };
    const row = await ImageRow.updateSeen(seen, { set }, ImageTag.changes(seen, ready));
    if (row) return row;
    seen = ImageRow.parse(await Dynamo.get(ImageRow.key(id)));
  }
  return undefined;
}

/** The image, rejected from now on for this reason; undefined if it was deleted or a later upload is processed. */
export async function markRejected(event: UploadEvent, reason: Reason): Promise<Image | undefined> {
  return ImageRow.parse(await updateProcessing(event, { state: "rejected", reason }));
}

/** The image if it is ready; undefined otherwise. */
export async function findReady(id: ImageId): Promise<Image | undefined> {
  const row = ImageRow.parse(await Dynamo.get(ImageRow.key(id)));
  return row?.state === "ready" ? row : undefined;
}

/** The row in any state: a tombstone (`deleted`) has only some attributes. Empty if there is none. */
export const readRow = async (id: ImageId): Promise<Partial<Image>> =>
  (await Dynamo.get(ImageRow.key(id))) ?? {};

/** The image with the findings of the same original, prepared again; undefined if it is not ready with this revision. */
export async function replaceFindings(id: ImageId, findings: Findings): Promise<Image | undefined> {
  const item = await ImageRow.update({
    id,
    set: findings,
    condition: "#state = :ready AND #rev = :rev",
    values: { ready: "ready" },
  });
  return ImageRow.parse(item);
}

/** Removes the name from a tombstone: afterwards no copy can be found by it, so every process that could store one must have ended. */
export const forgetName = (id: ImageId): Promise<unknown> =>
  Dynamo.update({
    key: ImageRow.key(id),
    remove: ["name"],
    condition: "#state = :deleted",
    values: { deleted: "deleted" },
  });

/** Removes all rows of a deleted image but its tombstone and its name. When it is interrupted, it can be called again. */
export async function removeRows(id: ImageId): Promise<void> {
  // the count first: then the removed likes are not subtracted from it one by one
  await LikeCount.remove(id);
  await removeAll(RenderLease.imageQuery(id));
  await removeAll(ImageTag.imageQuery(id));
  for (const shard of LikeRow.SHARD_NUMBERS) await removeAll(LikeRow.shardQuery(id, shard));
}

const isProcessing = ({ state, sequencer }: Image, event: UploadEvent) =>
  state === "processing" && sequencer === padded(event.sequencer);

/** The item after the change; undefined if the image is not processed, or for another event. */
const updateProcessing = (
  { id, sequencer }: UploadEvent,
  set: Dynamo.Item,
  { and = "", values }: { and?: string; values?: Dynamo.Item } = {},
) =>
  ImageRow.update({
    id,
    set,
    condition: `#state = :processing AND #sequencer = :current${and && ` AND ${and}`}`,
    values: { processing: "processing", current: padded(sequencer), ...values },
  });

const MAX_CONCURRENT_REMOVES = 32;

async function removeAll(query: Dynamo.Query) {
  let batch: Promise<unknown>[] = [];
  for await (const { pk, sk } of Dynamo.query(query)) {
    batch.push(Dynamo.remove({ key: { pk, sk } as Dynamo.Key }));
    if (batch.length < MAX_CONCURRENT_REMOVES) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

/** A sequencer is a hexadecimal number of any length; padded on the right, two compare as text: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const padded = (sequencer: string) => sequencer.toUpperCase().padEnd(64, "0");
