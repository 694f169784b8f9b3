import * as Actor from "./actor.ts";
import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import * as Feed from "./feed.ts";
import { fn } from "./fn.ts";
import * as ImageRow from "./image.row.ts";
import { type ImageId, Info, List, ListMine, type Page, Update } from "./image.schema.ts";
import * as LikeCount from "./like-count.ts";
import * as NewestFirst from "./newest-first.ts";
import * as Queue from "./queue.ts";

export * from "./image.schema.ts";

export type Row = ImageRow.Row;

export const get = fn(Info.shape.id, async (id) => {
  const [row, counts] = await Promise.all([findRow(id), LikeCount.of([id])]);
  if (!row) throw notFound(id);
  return ImageRow.publish(row, counts.get(id) ?? 0);
});

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
    only(walk, (row) => !tag || row.tags.includes(tag)),
  );
});

/** Everything of the person who asks, whatever its state is, newest first. */
export const listMine = fn(ListMine, async ({ limit = 24, cursor }) => {
  const { id } = Actor.user();
  const listed = `images of ${id}`;
  return page(listed, limit, walkMine(id, Cursor.read(listed, cursor) ?? "~", limit));
});

/** Only the owner, and only the version that he has seen. */
export const update = fn(Update, async ({ id, version, title, alt, tags }) => {
  const me = Actor.user();
  const item = await ImageRow.change({
    id,
    set: { title: title ?? undefined, alt: alt ?? undefined, tags },
    remove: [...(title === null ? ["title"] : []), ...(alt === null ? ["alt"] : [])],
    when: "#ownerId = :me AND #state <> :deleted" + (version ? " AND #version = :expected" : ""),
    values: { me: me.id, deleted: "deleted", ...(version && { expected: version }) },
  });
  const row = ImageRow.parse(item) ?? (await explain(id, me.id));
  const counts = await LikeCount.of([id]);
  return ImageRow.publish(row, counts.get(id) ?? 0);
});

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
  if (!buried) await explain(id, me.id);
  await Queue.send({ kind: "erase", imageId: id });
});

/** A queue keeps an event for 14 days at most, but nothing sends one for an upload that is older than its form: 15 minutes, and the retries of S3 and of the queue. */
const TOMBSTONE_SECONDS = 7 * ImageRow.DAY_SECONDS;

/** What a tombstone does not need. It keeps the name until that has been released. */
const forgotten = [
  ...(["title", "alt", "tags", "color", "thumbhash", "rungs", "reason"] as const),
  ...(["gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"] as const),
];

async function page(
  listed: string,
  limit: number,
  walk: AsyncGenerator<NewestFirst.Step<Row>, void>,
): Promise<Page> {
  const { shown, after } = await NewestFirst.take(walk, limit);
  const counts = await LikeCount.of(shown.map((row) => row.id));
  return {
    items: shown.map((row) => ImageRow.publish(row, counts.get(row.id) ?? 0)),
    next: after && Cursor.write(listed, after),
  };
}

async function* walkMine(
  userId: string,
  before: string,
  pageSize: number,
): AsyncGenerator<NewestFirst.Step<Row>, void> {
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
  walk: AsyncGenerator<NewestFirst.Step<Row>, void>,
  isMeant: (row: Row) => boolean,
): AsyncGenerator<NewestFirst.Step<Row>, void> {
  for await (const { position, shown } of walk)
    yield { position, shown: shown && isMeant(shown) ? shown : undefined };
}

/** Why a change of an image was refused. */
async function explain(id: ImageId, userId: string): Promise<never> {
  const row = await findRow(id);
  if (!row) throw notFound(id);
  if (row.ownerId !== userId) throw row.visibility === "public" ? notYours(id) : notFound(id);
  throw changed(row);
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
