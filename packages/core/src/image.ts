import * as Actor from "./actor.ts";
import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import * as Feed from "./feed.ts";
import { fn } from "./fn.ts";
import * as ImageRow from "./image.row.ts";
import { type ImageId, Info, List, ListMine, type Page, Update } from "./image.schema.ts";
import * as LikeCount from "./like-count.ts";
import * as Pagination from "./pagination.ts";
import * as Queue from "./queue.ts";

export * from "./image.schema.ts";

export type Row = ImageRow.Row;

/** What anyone may read: of somebody's private image it is not said that it exists, not even to its owner, for the answer is the same for everyone. */
export const get = fn(Info.shape.id, async (id) => {
  const [row, counts] = await Promise.all([findRow(id), LikeCount.of([id])]);
  if (row?.visibility !== "public") throw notFound(id);
  return ImageRow.toInfo(row, counts.get(id) ?? 0);
});

/** The image of the person who asks, whoever else sees it. */
export const getMine = fn(Info.shape.id, async (id) => {
  const me = Actor.user();
  const [row, counts] = await Promise.all([getOwn(id, me.id), LikeCount.of([id])]);
  return ImageRow.toInfo(row, counts.get(id) ?? 0);
});

/** The row, for its owner only. */
export async function getOwn(id: ImageId, userId: string): Promise<Row> {
  const row = await findRow(id);
  if (!row || (row.ownerId !== userId && row.visibility !== "public")) throw notFound(id);
  if (row.ownerId !== userId) throw notYours(id);
  return row;
}

/** The row, for a person who sees the image. */
export const getSeen = async (id: ImageId, userId: string | undefined): Promise<Row> =>
  mustSee(await findRow(id), id, userId);

/** The same of a row that was read already. */
export function mustSee(row: Row | undefined, id: ImageId, userId: string | undefined): Row {
  if (!row || (row.visibility !== "public" && row.ownerId !== userId)) throw notFound(id);
  return row;
}

/** With what delivery needs and readers do not see; whatever its state is, unless it is deleted. */
export const findRow = async (id: ImageId): Promise<Row | undefined> =>
  ImageRow.parse(await Dynamo.get(ImageRow.key(id)));

/** What everybody may see, newest first. */
export const list = fn(List, async ({ limit = 24, cursor, tag }) => {
  const listed = `images?${tag ?? ""}`;
  const walk = Feed.walk({
    before: Cursor.read(listed, cursor),
    // the pictures of a page are spread over the shards of its days
    pageSize: Math.ceil(limit / 2),
  });
  return page(
    listed,
    limit,
    // an index is a moment behind the table, so what was made private just now may still be in it
    only(walk, (row) => row.visibility === "public" && (!tag || row.tags.includes(tag))),
  );
});

/** Everything of the person who asks, whatever its state is, newest first. */
export const listMine = fn(ListMine, async ({ limit = 24, cursor }) => {
  const { id } = Actor.user();
  const listed = `images of ${id}`;
  return page(listed, limit, walkMine(id, Cursor.read(listed, cursor) ?? "~", limit));
});

/** Only the owner, and only the version that he has seen. */
export const update = fn(Update, async ({ id, version, title, alt, tags, visibility }) => {
  const me = Actor.user();
  const set = { title: title ?? undefined, alt: alt ?? undefined, tags, visibility };
  const remove = [...(title === null ? ["title"] : []), ...(alt === null ? ["alt"] : [])];
  for (;;) {
    const seen = await getOwn(id, me.id);
    if (version && seen.version !== version) throw changed(seen);
    const shown = await place(seen, visibility);
    const item = await ImageRow.change({
      id,
      set: { ...set, ...shown.set },
      remove: [...remove, ...shown.remove],
      when: "#version = :seen",
      values: { seen: seen.version },
    });
    const row = ImageRow.parse(item);
    // somebody was faster: what is to be written depends on what he left
    if (!row) continue;
    // the copy under its name follows the row, and ingest is who may write there
    if (visibility && row.name) await Queue.send({ kind: "follow", imageId: id });
    const counts = await LikeCount.of([id]);
    return ImageRow.toInfo(row, counts.get(id) ?? 0);
  }
});

/** What a change of visibility does to the place in the feed: only what is ready and public has one. */
async function place({ id, state }: Row, visibility: Info["visibility"] | undefined) {
  if (visibility === "private") return { set: {}, remove: Feed.names };
  if (visibility === undefined || state !== "ready") return { set: {}, remove: [] };
  await Feed.openDay(id);
  return { set: Feed.attributes(id), remove: [] };
}

/**
 * Hides the image at once, behind a tombstone that outlives every late event of its upload; ingest erases the bytes. As
 * often as one likes: the second time sends the command again that may have been lost.
 */
export const remove = fn(Info.shape.id, async (id) => {
  const me = Actor.user();
  const buried = await ImageRow.change({
    id,
    set: { state: "deleted", expiresAt: ImageRow.seconds() + TOMBSTONE_SECONDS },
    remove: forgotten,
    when: "#ownerId = :me",
    values: { me: me.id },
  });
  if (!buried) await getOwn(id, me.id);
  await Queue.send({ kind: "erase", imageId: id });
});

/** A queue keeps an event for 14 days at most, but nothing sends one for an upload that is older than its form: 15 minutes, and the retries of S3 and of the queue. */
const TOMBSTONE_SECONDS = 7 * ImageRow.DAY_SECONDS;

/** What a tombstone does not need. It keeps the name until that has been released. */
const forgotten = [
  ...(["title", "alt", "tags", "color", "thumbhash", "rungs", "reason"] as const),
  ...(["gsi1pk", "gsi1sk"] as const),
  ...Feed.names,
];

async function page(
  listed: string,
  limit: number,
  walk: AsyncGenerator<Pagination.Step<Row>, void>,
): Promise<Page> {
  const { shown, after } = await Pagination.take(walk, limit);
  const counts = await LikeCount.of(shown.map((row) => row.id));
  return {
    items: shown.map((row) => ImageRow.toInfo(row, counts.get(row.id) ?? 0)),
    next: after && Cursor.write(listed, after),
  };
}

async function* walkMine(
  userId: string,
  before: string,
  pageSize: number,
): AsyncGenerator<Pagination.Step<Row>, void> {
  const items = Dynamo.query({
    index: "gsi1",
    when: "#gsi1pk = :owner AND #gsi1sk < :before",
    values: { owner: ImageRow.ownerKey(userId), before },
    newestFirst: true,
    pageSize: pageSize + 1,
  });
  for await (const item of items)
    yield { position: String(item["gsi1sk"]), shown: ImageRow.parse(item) };
}

async function* only(
  walk: AsyncGenerator<Pagination.Step<Row>, void>,
  isMeant: (row: Row) => boolean,
): AsyncGenerator<Pagination.Step<Row>, void> {
  for await (const { position, shown } of walk)
    yield { position, shown: shown && isMeant(shown) ? shown : undefined };
}

export const notFound = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);

const notYours = (id: string) =>
  new VisibleError("forbidden", "image.not_yours", `Image ${id} belongs to somebody else`);

const changed = ({ id, version }: Row) =>
  new VisibleError(
    "precondition_failed",
    "image.changed",
    `Image ${id} has changed since it was read: it is at version ${version} now`,
  );
