import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import { type Click, Info, List, ListMine, type Page } from "./like.schema.ts";
import * as Pagination from "./pagination.ts";
import * as UsageRow from "./usage.row.ts";

export * from "./like.schema.ts";

/**
 * One page of the likes of a public image, newest first.
 *
 * @throws image.not_found also for the owner of a private image: the response is the same for everyone
 * @throws cursor.invalid
 */
export const list = fn(List, async ({ id, limit = 24, cursor }): Promise<Page> => {
  await Image.getVisibleRow(id, undefined);
  const listName = `likes of ${id}`;
  const pageSize = Pagination.entriesPerShard(limit, LikeRow.SHARD_COUNT);
  const sources = LikeRow.SHARD_NUMBERS.map((shard) =>
    source("gsi2", LikeRow.partition(id, shard), pageSize),
  );
  return takePage(listName, { sources, cursor, limit, maxRounds: 1 });
});

/**
 * The likes of the signed-in user: those of the images in `ids` in one page, or one page of all, newest first. A like of an
 * image that the user may not see any more (it became private, or was deleted) is left out.
 *
 * @throws actor.unauthenticated
 * @throws cursor.invalid
 */
export const listMine = fn(ListMine, async ({ ids, limit = 24, cursor }): Promise<Page> => {
  const { id: userId } = Actor.requireUser();
  if (ids) return findMine(userId, ids);
  const listName = `likes by ${userId}`;
  const sources = [source("gsi1", LikeRow.likerKey(userId), limit + 1)];
  const { items, next } = await takePage(listName, { sources, cursor, limit, maxRounds: 1 });
  const imageIds = items.map(({ imageId }) => imageId);
  const visible = await Image.findVisibleIds(imageIds, userId);
  return { items: items.filter(({ imageId }) => visible.has(imageId)), next };
});

// A like is one row with a key of image and user, and its condition makes both functions idempotent. There is no
// transaction, so any number of users can click on the same image at once. A click makes exactly two requests to the
// table: docs/adr/0007-likes-from-the-stream.md

/**
 * Adds the signed-in user's like of an image. The number of likes is the stored one, plus 1 if there was no like before; at least 1.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found
 * @throws image.not_ready
 * @throws account.deleting
 */
export const put = fn(ImageId, async (id): Promise<Click> => {
  const { id: userId } = Actor.requireUser();
  const { row, storedLikes, isUserDeleting } = await read(id, userId);
  const { state } = Image.assertVisible(row, id, userId);
  if (state !== "ready") throw notReady(id, state);
  // a like that is put while the mark is set is removed by the second erasure, two minutes later
  if (isUserDeleting) throw UsageRow.accountIsDeleted();
  const isNew = await Dynamo.put({
    item: LikeRow.item(id, userId, Clock.nowIso()),
    condition: "attribute_not_exists(#pk)",
  });
  // the stream may not have counted the user's own earlier like yet
  return { liked: true, likes: Math.max(1, storedLikes + (isNew ? 1 : 0)) };
});

/**
 * Removes the signed-in user's like of an image. The number of likes is the stored one, minus 1 if there was a like before.
 * A like of an image that the user may not see any more is removed, too: then the number is 0.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found if there was no like, and the image does not exist or the user may not see it
 * @throws image.not_ready
 */
export const remove = fn(ImageId, async (id): Promise<Click> => {
  const { id: userId } = Actor.requireUser();
  const { row, storedLikes } = await read(id, userId);
  // in any case, so that an image which the user may not see costs the same requests as an absent one
  const wasRemoved = await Dynamo.remove({
    key: LikeRow.key(id, userId),
    condition: "attribute_exists(#pk)",
  });
  if (wasRemoved && !Image.isVisible(row, userId)) return { liked: false, likes: 0 };
  const { state } = Image.assertVisible(row, id, userId);
  if (state !== "ready") throw notReady(id, state);
  // the stream may not have counted the like yet that is removed here
  return { liked: false, likes: Math.max(0, storedLikes - (wasRemoved ? 1 : 0)) };
});

/** The row of an image, undefined if there is none, its stored number of likes, and whether the user's account is being deleted: one request. */
async function read(id: ImageId, userId: string) {
  const keys = [ImageRow.key(id), LikeCount.key(id), UsageRow.key(userId)];
  const items = await Dynamo.getMany(keys, true);
  const [image, count, usage] = keys.map(({ pk, sk }) =>
    items.find((item) => item["pk"] === pk && item["sk"] === sk),
  );
  return {
    row: ImageRow.parse(image),
    storedLikes: LikeCount.parse(count)?.likes ?? 0,
    isUserDeleting: UsageRow.isDeleting(usage),
  };
}

async function findMine(userId: string, ids: ImageId[]): Promise<Page> {
  const wanted = [...new Set(ids)];
  // at the same time, so that the number of requests does not tell which images exist
  const [found, visible] = await Promise.all([
    Dynamo.getMany(wanted.map((id) => LikeRow.key(id, userId))),
    Image.findVisibleIds(wanted, userId),
  ]);
  const likes = found.map((item) => Info.parse(item));
  return { items: likes.filter(({ imageId }) => visible.has(imageId)), next: null };
}

type PageOf = {
  sources: Pagination.Source<Info>[];
  cursor: string | undefined;
  limit: number;
  maxRounds: number;
};

async function takePage(listName: string, { cursor, ...page }: PageOf): Promise<Page> {
  const before = Cursor.decode(listName, cursor);
  const { items, nextPosition } = await Pagination.takePage({ ...page, before });
  return { items, next: nextPosition && Cursor.encode(listName, nextPosition) };
}

const source =
  (index: "gsi1" | "gsi2", partition: string, pageSize: number): Pagination.Source<Info> =>
  async (before) => {
    const { items, reached } = await Dynamo.queryPage({
      index,
      keyCondition: `#${index}pk = :partition AND #${index}sk < :before`,
      values: { partition, before },
      newestFirst: true,
      pageSize,
    });
    const entries = items.map((item) => ({
      position: String(item[`${index}sk`]),
      item: Info.parse(item),
    }));
    return { entries, reached };
  };

const notReady = (id: ImageId, state: Image.Row["state"]) =>
  new VisibleError(
    "conflict",
    "image.not_ready",
    `Image ${id} is ${state}; it can be liked when it is ready`,
  );
