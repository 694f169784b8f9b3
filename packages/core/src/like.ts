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
 * The likes of the signed-in user: those of the images in `ids` in one page, or one page of all, newest first.
 *
 * @throws actor.unauthenticated
 * @throws cursor.invalid
 */
export const listMine = fn(ListMine, async ({ ids, limit = 24, cursor }): Promise<Page> => {
  const { id: userId } = Actor.requireUser();
  if (ids) return findMine(userId, ids);
  const listName = `likes by ${userId}`;
  const sources = [source("gsi1", LikeRow.likerKey(userId), limit + 1)];
  return takePage(listName, { sources, cursor, limit, maxRounds: 1 });
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
 */
export const put = fn(ImageId, async (id): Promise<Click> => {
  const { id: userId } = Actor.requireUser();
  const storedLikes = await readStoredLikes(id, userId);
  const isNew = await Dynamo.put({
    item: LikeRow.item(id, userId, Clock.nowIso()),
    condition: "attribute_not_exists(#pk)",
  });
  // the stream may not have counted the user's own earlier like yet
  return { liked: true, likes: Math.max(1, storedLikes + (isNew ? 1 : 0)) };
});

/**
 * Removes the signed-in user's like of an image. The number of likes is the stored one, minus 1 if there was a like before.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found
 * @throws image.not_ready
 */
export const remove = fn(ImageId, async (id): Promise<Click> => {
  const { id: userId } = Actor.requireUser();
  const storedLikes = await readStoredLikes(id, userId);
  const wasRemoved = await Dynamo.remove({
    key: LikeRow.key(id, userId),
    condition: "attribute_exists(#pk)",
  });
  // the stream may not have counted the like yet that is removed here
  return { liked: false, likes: Math.max(0, storedLikes - (wasRemoved ? 1 : 0)) };
});

/** The stored number of likes of an image that the user may like. One request: the image and its count are one partition. */
async function readStoredLikes(id: ImageId, userId: string): Promise<number> {
  const items = await Dynamo.queryAll({
    keyCondition: "#pk = :pk",
    values: { pk: ImageRow.partition(id) },
    isConsistent: true,
  });
  const findItem = ({ sk }: Dynamo.Key) => items.find((item) => item["sk"] === sk);
  const row = Image.assertVisible(ImageRow.parse(findItem(ImageRow.key(id))), id, userId);
  if (row.state !== "ready") throw notReady(row);
  return LikeCount.parse(findItem(LikeCount.key(id)))?.likes ?? 0;
}

async function findMine(userId: string, ids: ImageId[]): Promise<Page> {
  const found = await Dynamo.getMany([...new Set(ids)].map((id) => LikeRow.key(id, userId)));
  return { items: found.map((item) => Info.parse(item)), next: null };
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

const notReady = ({ id, state }: Image.Row) =>
  new VisibleError(
    "conflict",
    "image.not_ready",
    `Image ${id} is ${state}; it can be liked when it is ready`,
  );
