import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import type { Reason } from "./image.schema.ts";
import * as ImageTag from "./image-tag.ts";
import * as LikeCount from "./like-count.ts";
import type * as UsageRow from "./usage.row.ts";
import * as Usage from "./usage.ts";

// The states of an image's row from its upload to `ready` or `rejected`. S3 sends an event at least once and in any order:
// every write is conditional on the event that caused it, and none undoes what a later event did. The objects of an image
// are in packages/functions/src/ingest/image-objects.ts.

/** The event of an upload. S3's sequencers order the events of one key. Events with the same `tag` are of the same bytes. */
export type UploadEvent = { id: ImageId; sequencer: string; tag?: string };

/** The owner's share of ingest is used: the message has to wait until another image of the owner is ready. */
export class OwnerIsBusy extends Error {
  override readonly name = "OwnerIsBusy";
}

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

/**
 * The image of an upload that did not come through the API, `processing` from now on; it is created if it does not exist, and
 * `rejected` if it is more than its owner may have. undefined if there is nothing to do.
 *
 * @throws OwnerIsBusy
 */
export async function startNamedUpload(
  event: UploadEvent,
  { uploadedAt, ...about }: NamedUpload,
): Promise<Image | undefined> {
  const row: Image = {
    ...about,
    state: "processing",
    visibility: "public",
    tags: [],
    ...startAttributes(event),
    attempts: 1,
    createdAt: uploadedAt,
    updatedAt: uploadedAt,
    version: 1,
  };
  const put = { item: ImageRow.item(row), condition: "attribute_not_exists(#pk)" };
  const change = { images: 1, bytes: row.bytes, takeSlot: slotOf(event) } as const;
  const result = await Usage.apply(row.ownerId, change, [{ put }]);
  if (result.type === "made") return row;
  if (result.type === "busy") throw new OwnerIsBusy(row.ownerId);
  // the event came before; an id of an image of another owner cannot happen, and must not be worked on
  if (result.type === "unmet")
    return (await readRow(event.id)).ownerId === row.ownerId ? startProcessing(event) : undefined;
  if (result.type !== "refused") throw new Error(`BUG: ${result.type} without an open upload`);
  // of an account that is being deleted there is no image to tell the reason
  if (result.error.code === "account.deleting") return undefined;
  const reason = { code: result.error.code, detail: result.error.message };
  await Dynamo.put({ ...put, item: ImageRow.item({ ...row, ...rejection(reason) }) });
  return undefined;
}

/**
 * The image, `processing` from now on. undefined if there is nothing to do: the image is ready, deleted or unknown, the same
 * bytes were rejected or are processed, or a later upload of the image is processed.
 *
 * @throws OwnerIsBusy
 */
export async function startProcessing(event: UploadEvent): Promise<Image | undefined> {
  for (;;) {
    const seen = ImageRow.parse(await Dynamo.get(ImageRow.key(event.id)));
    if (!seen || !hasWork(seen, event)) return undefined;
    const { id, ownerId, bytes, name, state } = seen;
    const change: UsageRow.Change = {
      takeSlot: slotOf(event),
      ...(state === "pending" && { close: { id, name } }),
      // it was not counted while it was rejected
      ...(state === "rejected" && { images: 1, bytes }),
    };
    const result = await writeSeen(seen, change, {
      set: { state: "processing", ...startAttributes(event) },
      remove: ["expiresAt", "reason", "upload"],
      add: { attempts: 1 },
    });
    if (result.type === "made") return { ...result.image, attempts: (seen.attempts ?? 0) + 1 };
    if (result.type === "busy") throw new OwnerIsBusy(ownerId);
    // the upload has expired, or the owner has reached a limit since the image was rejected
    if (result.type !== "unmet") return undefined;
  }
}

/** Whether the event changes the image. */
function hasWork({ state, sequencer, uploadTag }: Image, event: UploadEvent): boolean {
  if (state === "pending") return true;
  if (state !== "processing" && state !== "rejected") return false;
  if (sequencer === padded(event.sequencer)) return state === "processing";
  // a form may be posted again and again; the first event of the same bytes does the work, and is repeated until it is done
  const isSame = event.tag !== undefined && event.tag === uploadTag;
  return !isSame && (!sequencer || sequencer < padded(event.sequencer));
}

const startAttributes = ({ sequencer, tag }: UploadEvent) => ({
  sequencer: padded(sequencer),
  uploadTag: tag,
});

/** Each event has a slot of its own, so that uploads of one image do not share one. */
const slotOf = ({ id, sequencer }: UploadEvent) => `${id}_${sequencer.replaceAll(/\W/g, "")}`;

/**
 * The image, ready from now on, and in the feed if it is public. All its objects must be stored before. undefined if it was
 * deleted or a later upload is processed. `image` is the row as `startProcessing` returned it: unless its owner has changed
 * it since, it is not read again.
 */
export const markReady = (event: UploadEvent, image: Image, findings: Findings) =>
  finish(event, image, (seen) => {
    const ready = { ...findings, state: "ready" as const };
    const feed = seen.visibility === "public" ? Feed.attributes(event.id) : {};
    return {
      usage: { bytes: findings.bytes - seen.bytes },
      set: { ...ready, ...feed },
      alsoWrite: ImageTag.changes(seen, { ...seen, ...ready }),
      count: LikeCount.creation(event.id),
    };
  });

/** The image, rejected from now on for this reason; undefined if it was deleted or a later upload is processed. `image` is as for `markReady`. */
export const markRejected = (event: UploadEvent, image: Image, reason: Reason) =>
  finish(event, image, ({ bytes }) => ({
    usage: { images: -1, bytes: -bytes },
    set: rejection(reason),
    remove: dependsOnBytes(reason) ? [] : ["uploadTag"],
  }));

const rejection = (reason: Reason) => ({
  state: "rejected" as const,
  reason,
  expiresAt: Clock.nowSeconds() + REJECTED_SECONDS,
});

/** The owner sees the reason for a week. Later no event of the upload comes: see the tombstones in image.ts. */
const REJECTED_SECONDS = 7 * Clock.DAY_SECONDS;

/** False if the same bytes may be accepted when they are uploaded again. */
const dependsOnBytes = ({ code }: Reason) => !["name.taken", "upload.gone"].includes(code);

type Result = {
  usage: UsageRow.Change;
  set: ImageRow.SeenChange["set"];
  remove?: string[];
  alsoWrite?: Dynamo.Write[];
  /** The count of likes, which may be there already. */
  count?: Dynamo.Put;
};

/** Writes the result of processing and frees the slot. */
async function finish(
  event: UploadEvent,
  image: Image,
  resultFor: (seen: Image) => Result,
): Promise<Image | undefined> {
  let seen: Image | undefined = image;
  let isCounted = false;
  while (seen && isProcessing(seen, event)) {
    const { usage, set, remove = [], alsoWrite = [], count } = resultFor(seen);
    const writes = [...alsoWrite, ...(count && !isCounted ? [{ put: count }] : [])];
    const change = { ...usage, freeSlot: slotOf(event) };
    const written = await writeSeen(seen, change, { set, remove }, writes);
    if (written.type === "made") return written.image;
    if (written.type !== "unmet")
      throw new Error(`BUG: an image was not finished: ${written.type}`);
    if (count) isCounted ||= written.results.at(-1)?.isMet === false;
    seen = ImageRow.parse(await Dynamo.get(ImageRow.key(event.id)));
  }
  await stopProcessing(event, image);
  return undefined;
}

/** Ends the attempt of an event that has no result. */
export const stopProcessing = (event: UploadEvent, { ownerId }: Image): Promise<void> =>
  Usage.freeSlot(ownerId, slotOf(event));

/**
 * Runs `work`, which prepares a ready image again, in a slot of its owner.
 *
 * @throws OwnerIsBusy
 */
export async function inSlot<Output>(
  { id, ownerId }: Image,
  work: () => Promise<Output>,
): Promise<Output> {
  const slot = `${id}_again`;
  const { type } = await Usage.apply(ownerId, { takeSlot: slot });
  if (type === "busy") throw new OwnerIsBusy(ownerId);
  try {
    return await work();
  } finally {
    await Usage.freeSlot(ownerId, slot);
  }
}

/** Changes the usage and the image together, and writes `alsoWrite` with them, unless the image has changed since it was seen. */
async function writeSeen(
  seen: Image,
  usage: UsageRow.Change,
  change: ImageRow.SeenChange,
  alsoWrite: Dynamo.Write[] = [],
) {
  const { update, after } = ImageRow.changeOfSeen(seen, change);
  const result = await Usage.apply(seen.ownerId, usage, [{ update }, ...alsoWrite]);
  return result.type === "made" ? ({ type: "made", image: after } as const) : result;
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

const isProcessing = ({ state, sequencer }: Image, event: UploadEvent) =>
  state === "processing" && sequencer === padded(event.sequencer);

/** A sequencer is a hexadecimal number of any length; padded on the right, two compare as text: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const padded = (sequencer: string) => sequencer.toUpperCase().padEnd(64, "0");
