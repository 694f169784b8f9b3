import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import * as Feed from "./feed.ts";
import { fn } from "./fn.ts";
import * as ImageRow from "./image.row.ts";
import { type ImageId, Info, List, ListMine, type Page, Update } from "./image.schema.ts";
import * as ImageTag from "./image-tag.ts";
import * as LikeCount from "./like-count.ts";
import * as Pagination from "./pagination.ts";
import type * as UsageRow from "./usage.row.ts";

export * from "./image.schema.ts";

export type Row = ImageRow.Row;

/**
 * A public image, in any state but `deleted`. The response is the same for everyone, so that caches may keep it: a private
 * image is not found, for its owner, too.
 *
 * @throws image.not_found
 */
export const get = fn(Info.shape.id, async (id): Promise<Info> => {
  const [row, counts] = await Promise.all([findRow(id), LikeCount.getMany([id])]);
  if (row?.visibility !== "public") throw notFound(id);
  return ImageRow.toInfo(row, counts.get(id) ?? 0);
});

/**
 * An image of the signed-in user, public or private.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found
 * @throws image.not_yours
 */
export const getMine = fn(Info.shape.id, async (id): Promise<Info> => {
  const { id: userId } = Actor.requireUser();
  const [row, counts] = await Promise.all([getOwnRow(id, userId), LikeCount.getMany([id])]);
  return ImageRow.toInfo(row, counts.get(id) ?? 0);
});

/**
 * The row of an image that this user owns.
 *
 * @throws image.not_found also for the private image of another user
 * @throws image.not_yours
 */
export async function getOwnRow(id: ImageId, userId: string): Promise<Row> {
  return assertOwn(await findRow(id), id, userId);
}

/** The given row, if this user owns it. Throws as `getOwnRow`. */
function assertOwn(row: Row | undefined, id: ImageId, userId: string): Row {
  if (!row || (row.ownerId !== userId && row.visibility !== "public")) throw notFound(id);
  if (row.ownerId !== userId) throw notYours(id);
  return row;
}

/**
 * The row of an image that this user may see; `undefined` is the public.
 *
 * @throws image.not_found
 */
export const getVisibleRow = async (id: ImageId, userId: string | undefined): Promise<Row> =>
  assertVisible(await findRow(id), id, userId);

/**
 * The given row, if this user may see it; `undefined` is the public.
 *
 * @throws image.not_found
 */
export function assertVisible(row: Row | undefined, id: ImageId, userId: string | undefined): Row {
  if (!isVisible(row, userId)) throw notFound(id);
  return row;
}

/** True if there is a row that this user may see; `undefined` is the public. */
export const isVisible = (row: Row | undefined, userId: string | undefined): row is Row =>
  row !== undefined && (row.visibility === "public" || row.ownerId === userId);

/** Those of the images that this user may see: the public ones and the user's own. At most 100 ids, each once; one strongly consistent read. */
export async function findVisibleIds(ids: ImageId[], userId: string): Promise<Set<ImageId>> {
  const items = ids.length > 0 ? await Dynamo.getMany(ids.map(ImageRow.key), true) : [];
  const rows = items.map((item) => ImageRow.parse(item)).filter((row) => row !== undefined);
  return new Set(rows.filter((row) => isVisible(row, userId)).map(({ id }) => id));
}

/** The row of a public or private image; undefined if there is none, and for a deleted image and an expired upload. */
export const findRow = async (id: ImageId): Promise<Row | undefined> =>
  ImageRow.parse(await Dynamo.get(ImageRow.key(id)));

/**
 * One page of the images that are ready and public, newest first, with a tag if one is given.
 *
 * @throws cursor.invalid
 */
export const list = fn(List, async ({ limit = 24, cursor, tag }): Promise<Page> => {
  const listName = `images?${tag ?? ""}`;
  // the index is a moment behind the table, so an image that was just made private may still be in it
  const isPublic = (row: Row) => row.visibility === "public";
  const page = tag
    ? { sources: [ImageTag.source(tag, limit)], maxRounds: 3 }
    : { sources: Feed.sources(limit).map((read) => filterItems(read, isPublic)), maxRounds: 2 };
  return takePage(listName, { ...page, cursor, limit });
});

/**
 * One page of the signed-in user's images, in every state but `deleted`, newest first.
 *
 * @throws actor.unauthenticated
 * @throws cursor.invalid
 */
export const listMine = fn(ListMine, async ({ limit = 24, cursor }): Promise<Page> => {
  const { id: userId } = Actor.requireUser();
  const listName = `images of ${userId}`;
  const sources = [ownImages(userId, limit)];
  return takePage(listName, { sources, cursor, limit, maxRounds: 3 });
});

/**
 * The image after the changes: every key of `Changes` that is given is written, and one that is `null` is cleared. With a
 * `version` only that version is changed. Ingest removes or stores the copy under the image's name, commanded by the table's
 * stream.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found
 * @throws image.not_yours
 * @throws image.changed if the image has another version
 */
export const update = fn(Update, async ({ id, version, ...changes }): Promise<Info> => {
  const { id: userId } = Actor.requireUser();
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  // of a file name nothing may be left
  const isCleared = (value: unknown) => value === null || value === "";
  const set = Object.fromEntries(given.filter(([, value]) => !isCleared(value)));
  const remove = given.filter(([, value]) => isCleared(value)).map(([name]) => name);
  for (;;) {
    const before = await getOwnRow(id, userId);
    if (version && before.version !== version) throw changed(before);
    const feed = feedChange(before, changes.visibility);
    const change = { set: { ...set, ...feed.set }, remove: [...remove, ...feed.remove] };
    const tagRows = ImageTag.changes(before, { ...before, ...set });
    const row = await ImageRow.updateSeen(before, change, tagRows);
    // another request changed the row in the meantime, and what is written with it depends on it: start again
    if (!row) continue;
    const counts = await LikeCount.getMany([id]);
    return ImageRow.toInfo(row, counts.get(id) ?? 0);
  }
});

/** What a change of visibility changes in the feed's attributes. Only an image that is ready and public has them. */
function feedChange({ id, state }: Row, visibility: Info["visibility"] | undefined) {
  if (visibility === "private") return { set: {}, remove: Feed.attributeNames };
  if (visibility === undefined || state !== "ready") return { set: {}, remove: [] };
  return { set: Feed.attributes(id), remove: [] };
}

/**
 * Makes a tombstone of the image, which hides it at once and outlives every late event of its upload. Ingest erases what
 * belongs to the image, commanded by the table's stream (docs/adr/0023-the-stream-is-the-outbox.md). The owner may repeat it:
 * then ingest erases again.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found
 * @throws image.not_yours
 */
export const remove = fn(Info.shape.id, async (id): Promise<void> => {
  const { id: userId } = Actor.requireUser();
  if (await removeOf(id, userId)) return;
  await getOwnRow(id, userId);
  throw notFound(id);
});

/** Makes a tombstone of an image, as `remove` does, if this user owns it; false if not. */
export async function removeOf(id: ImageId, userId: string): Promise<boolean> {
  for (;;) {
    const item = await Dynamo.get(ImageRow.key(id));
    if (item?.["ownerId"] !== userId) return false;
    const row = ImageRow.parse(item);
    // of an upload that has expired nothing is counted any more, and a tombstone is written again
    const change = row ? usageOfDeletion(row) : {};
    const update = ImageRow.changeOf({
      id,
      set: { state: "deleted", expiresAt: Clock.nowSeconds() + TOMBSTONE_SECONDS },
      remove: ImageRow.attributesToClear,
      condition: "#version = :seen",
      values: { seen: item["version"] },
    });
    const result = await (await usage()).apply(userId, change, [{ update }]);
    if (result.type === "made") return true;
    if (result.type === "expired") return false;
    // if another request has changed the image meanwhile, it is read again
    if (result.type !== "unmet") throw new Error(`BUG: an image was not deleted: ${result.type}`);
  }
}

/** What the deletion of an image changes in the usage. A rejected image is not counted, and a process in ingest frees its slot itself. */
function usageOfDeletion({ id, state, bytes, name }: Row): UsageRow.Change {
  if (state === "rejected") return {};
  const close = state === "pending" && { close: { id, name } };
  return { images: -1, bytes: -bytes, ...close };
}

/** A presigned POST is valid for 15 minutes, and S3 and the queue retry for less than a week: no event of the upload comes later. */
const TOMBSTONE_SECONDS = 7 * Clock.DAY_SECONDS;

type PageOf = {
  sources: Pagination.Source<Row>[];
  cursor: string | undefined;
  limit: number;
  maxRounds: number;
};

async function takePage(listName: string, { cursor, ...page }: PageOf): Promise<Page> {
  const before = Cursor.decode(listName, cursor);
  const { items: rows, nextPosition } = await Pagination.takePage({ ...page, before });
  const counts = await LikeCount.getMany(rows.map((row) => row.id));
  return {
    items: rows.map((row) => ImageRow.toInfo(row, counts.get(row.id) ?? 0)),
    next: nextPosition && Cursor.encode(listName, nextPosition),
  };
}

const ownImages =
  (userId: string, limit: number): Pagination.Source<Row> =>
  async (before) => {
    const { items, reached } = await Dynamo.queryPage({
      index: "gsi1",
      keyCondition: "#gsi1pk = :owner AND #gsi1sk < :before",
      values: { owner: ImageRow.ownerKey(userId), before },
      newestFirst: true,
      pageSize: limit + 1,
    });
    // an upload that has expired but is not removed yet has no row
    const entries = items.map((item) => ({
      position: String(item["gsi1sk"]),
      item: ImageRow.parse(item),
    }));
    return { entries, reached };
  };

const filterItems =
  (read: Pagination.Source<Row>, isIncluded: (row: Row) => boolean): Pagination.Source<Row> =>
  async (before) => {
    const { entries, reached } = await read(before);
    const filtered = entries.map(({ position, item }) => ({
      position,
      item: item && isIncluded(item) ? item : undefined,
    }));
    return { entries: filtered, reached };
  };

/** The error for an image that does not exist, or that the user may not see. */
export const notFound = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);

const notYours = (id: string) =>
  new VisibleError("forbidden", "image.not_yours", `Image ${id} belongs to another user`);

const changed = ({ id, version }: Row) =>
  new VisibleError(
    "precondition_failed",
    "image.changed",
    `Image ${id} has changed since it was read: it is at version ${version} now`,
  );

/** Loaded by the first request that changes the usage: the others start faster without it. */
const usage = () => import("./usage.ts");
