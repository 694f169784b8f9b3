import * as Bucket from "./bucket.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import type { Reason } from "./image.schema.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import * as ImageName from "./image-name.ts";
import * as ObjectKey from "./object-key.ts";
import * as RenderLease from "./render-lease.ts";

// What happens to an image between its upload and `ready` or `rejected`, and after its deletion. S3's events come at least
// once and in any order: every write says of which event it is, and none undoes what a later one did.

/** The event that told of an upload, and the version of the object that it told of. */
export type Upload = {
  id: ImageId;
  sequencer: string;
  version?: string;
  /** Where the object is, if not where the API would have it. */
  key?: string;
};

export type Image = ImageRow.Row;

/** An upload of which only the bucket told: whose it is, what it was sent as, and when. */
export type Arrived = Pick<ImageRow.Row, "id" | "ownerId" | "name" | "type" | "bytes"> & {
  at: string;
};

/** What was found out about a picture. */
export type Found = Required<
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

/** Makes the image of an upload that came past the API. Told again, it changes nothing. */
export async function adopt({ at, ...arrived }: Arrived): Promise<void> {
  const row: ImageRow.Row = {
    ...arrived,
    state: "pending",
    visibility: "public",
    tags: [],
    createdAt: at,
    updatedAt: at,
    version: 1,
    expiresAt: Clock.nowSeconds() + Clock.DAY_SECONDS,
  };
  await Dynamo.put({ item: ImageRow.item(row), condition: "attribute_not_exists(#pk)" });
}

/**
 * The image to work on. undefined when there is nothing to do, because it is deleted, unknown or ready, or because a later
 * upload is worked on; then what was uploaded is gone.
 */
export async function begin(upload: Upload): Promise<ImageRow.Row | undefined> {
  const item = await ImageRow.update({
    id: upload.id,
    set: { state: "processing", sequencer: padded(upload.sequencer) },
    remove: ["expiresAt", "reason"],
    condition: `#state IN (:pending, :state, :rejected)
      AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)
      AND (attribute_not_exists(#sequencer) OR #sequencer < :sequencer OR (#sequencer = :sequencer AND #state = :state))`,
    values: { pending: "pending", rejected: "rejected", now: Clock.nowSeconds() },
  });
  if (item) return ImageRow.parse(item);
  await tidy(upload);
  return undefined;
}

/** Makes the image visible, if this is still its latest upload. Everything that belongs to it must be stored before. */
export async function settle(upload: Upload, found: Found): Promise<ImageRow.Row | undefined> {
  const { id } = upload;
  await LikeCount.create(id);
  const row = await makeReady(upload, { ...found, state: "ready" });
  await tidy(upload, found.rev);
  return row;
}

/** Its owner may change the visibility meanwhile; what is ready and public is in the feed, and nothing else is. */
async function makeReady(upload: Upload, ready: Dynamo.Item) {
  for (;;) {
    const seen = ImageRow.parse(await Dynamo.get(ImageRow.key(upload.id)));
    if (!seen || !isCurrent(seen, upload)) return undefined;
    const isPublic = seen.visibility === "public";
    if (isPublic) await Feed.addDay(upload.id);
    const item = await change(
      upload,
      { ...ready, ...(isPublic && Feed.attributes(upload.id)) },
      { and: "#version = :seen", values: { seen: seen.version } },
    );
    if (item) return ImageRow.parse(item);
  }
}

const isCurrent = ({ state, sequencer }: ImageRow.Row, upload: Upload) =>
  state === "processing" && sequencer === padded(upload.sequencer);

/** The image as it is delivered now, to do its work again; undefined when there is none, or none yet. */
export async function find(id: ImageId): Promise<ImageRow.Row | undefined> {
  const row = ImageRow.parse(await Dynamo.get(ImageRow.key(id)));
  return row?.state === "ready" ? row : undefined;
}

/** What was found out anew about a picture that is ready. What was rendered of the old ladder is rendered again when it is asked for. */
export async function renew(id: ImageId, found: Found): Promise<void> {
  const item = await ImageRow.update({
    id,
    set: found,
    condition: "#state = :ready AND #rev = :rev",
    values: { ready: "ready" },
  });
  if (item) await Bucket.removeByPrefix(ObjectKey.allDerived(id, found.rev));
  // deleted meanwhile: what was stored again goes again
  else await tidy({ id, sequencer: "" });
}

/** Takes away what shows a private picture under its name. The name stays the image's. */
export async function hide({ id, ownerId, name }: ImageRow.Row): Promise<void> {
  if (name && (await ImageName.claim(name, { id, ownerId })))
    await Bucket.removeAllVersions(ObjectKey.named(name));
}

/** The picture is not taken, and says why. Its name is free again. */
export async function reject(upload: Upload, reason: Reason): Promise<ImageRow.Row | undefined> {
  const item = await change(upload, { state: "rejected", reason });
  await tidy(upload);
  return ImageRow.parse(item);
}

/** Removes every byte and row of a deleted image but its tombstone. Ends where it is interrupted, and goes on from there. */
export async function erase(id: ImageId): Promise<void> {
  const row: Partial<ImageRow.Row> = (await Dynamo.get(ImageRow.key(id))) ?? {};
  if (row.state && row.state !== "deleted") return;
  if (row.name) await unpublish(row.name, id);
  await Promise.all([
    Bucket.removeAllVersions(ObjectKey.upload(id)),
    ...ObjectKey.prefixes(id).map(Bucket.removeByPrefix),
  ]);
  // first the count: nobody counts the likes down while they go
  await LikeCount.remove(id);
  await removeRows(RenderLease.imageQuery(id));
  for (const shard of LikeRow.SHARD_NUMBERS) await removeRows(LikeRow.shardQuery(id, shard));
}

/** The copy under its name may come after the image was erased and its name was free: it goes, too. */
export async function eraseLate(image: ImageRow.Row): Promise<void> {
  const row = await Dynamo.get(ImageRow.key(image.id));
  if (row?.["state"] !== "deleted") return;
  await hide(image);
  await erase(image.id);
}

const change = (
  { id, sequencer }: Upload,
  set: Dynamo.Item,
  { and = "", values }: { and?: string; values?: Dynamo.Item } = {},
) =>
  ImageRow.update({
    id,
    set,
    condition: `#state = :processing AND #sequencer = :current${and && ` AND ${and}`}`,
    values: { processing: "processing", current: padded(sequencer), ...values },
  });

/** After the last write, whoever's it was: nothing half-made remains, however often this is repeated. */
async function tidy({ id, version, key = ObjectKey.upload(id) }: Upload, rev?: string) {
  const row: Partial<ImageRow.Row> = (await Dynamo.get(ImageRow.key(id))) ?? {};
  if (row.state === "deleted") await erase(id);
  if (row.state === "rejected" && row.name) await unpublish(row.name, id);
  // another upload of the same image came later and won
  if (row.state === "ready" && rev && row.rev !== rev)
    await Promise.all(
      [ObjectKey.original(id, rev), ObjectKey.rungs(id, rev)].map(Bucket.removeByPrefix),
    );
  // the bucket keeps versions; without a number this could be a later upload, and the lifecycle takes it within a day
  if (version) await Bucket.removeVersion(key, version);
}

/** First the object, then the row: as long as the row is there, nobody else publishes under the name. */
async function unpublish(name: string, id: ImageId) {
  if (!(await ImageName.belongsTo(name, id))) return;
  await Bucket.removeAllVersions(ObjectKey.named(name));
  await ImageName.release(name, id);
}

async function removeRows(these: Dynamo.Query) {
  let batch: Promise<unknown>[] = [];
  for await (const { pk, sk } of Dynamo.query(these)) {
    batch.push(Dynamo.remove({ key: { pk, sk } as Dynamo.Key }));
    if (batch.length < 32) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

/** S3's numbers are hex of any length; padded on the right they compare as text: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const padded = (sequencer: string) => sequencer.toUpperCase().padEnd(64, "0");
