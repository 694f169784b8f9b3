import * as Actor from "./actor.ts";
import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import { type Click, Info, List, Mine, type Page } from "./like.schema.ts";
import * as Pagination from "./pagination.ts";

export * from "./like.schema.ts";

/** Who likes an image, newest first. */
export const list = fn(List, async ({ id, limit = 24, cursor }) => {
  // the answer is the same for everyone, so nobody's own counts
  await Image.getSeen(id, undefined);
  const listed = `likes of ${id}`;
  const before = Cursor.read(listed, cursor) ?? "~";
  const shards = LikeRow.shards.map((shard) =>
    walk("gsi2", LikeRow.partition(id, shard), before, Math.ceil(limit / 2)),
  );
  return page(listed, limit, Pagination.merge(shards));
});

/** What the person who asks likes. */
export const mine = fn(Mine, async ({ ids, limit = 24, cursor }) => {
  const me = Actor.user();
  if (ids) return mineAmong(me.id, ids);
  const listed = `likes by ${me.id}`;
  const before = Cursor.read(listed, cursor) ?? "~";
  return page(listed, limit, walk("gsi1", LikeRow.likerKey(me.id), before, limit + 1));
});

// The row (image, person) is the like; its condition makes both verbs idempotent. One item, no transaction: any number of
// people like the same picture at once.

export const put = fn(ImageId, async (id): Promise<Click> => {
  const me = Actor.user();
  const before = await readyCount(id, me.id);
  const isNew = await Dynamo.put({
    item: LikeRow.item(id, me.id, new Date().toISOString()),
    when: "attribute_not_exists(#pk)",
  });
  return { liked: true, likes: await LikeCount.after(id, isNew ? 1 : 0, before) };
});

export const remove = fn(ImageId, async (id): Promise<Click> => {
  const me = Actor.user();
  const before = await readyCount(id, me.id);
  const wasThere = await Dynamo.remove({
    key: LikeRow.key(id, me.id),
    when: "attribute_exists(#pk)",
  });
  return { liked: false, likes: await LikeCount.after(id, wasThere ? -1 : 0, before) };
});

/** The count of an image that is ready, else throws: both rows in one read, and in a crowd not for every click. */
async function readyCount(id: ImageId, userId: string) {
  const last = believed.get(id);
  if (last && last.until > Date.now()) return last.count;
  const { row, count } = await readTogether(id, userId);
  if (count && row.visibility === "public" && LikeCount.isCrowd(count)) {
    if (believed.size >= MOST_BELIEVED) believed.clear();
    believed.set(id, { until: Date.now() + BELIEVED_MS, count });
  } else believed.delete(id);
  return count;
}

/** A crowd's count changes while it is read. It is so much behind, beside what the stream has still to tell, and an image that was deleted or made private is liked so much longer. */
const BELIEVED_MS = 250;
/** Some kilobytes; more than a process can have crowds. */
const MOST_BELIEVED = 100;

const believed = new Map<ImageId, { until: number; count: LikeCount.Count }>();

async function readTogether(id: ImageId, userId: string) {
  const [imageKey, countKey] = [ImageRow.key(id), LikeCount.key(id)];
  const items = await Dynamo.getAll([imageKey, countKey], true);
  const item = ({ sk }: Dynamo.Key) => items.find((found) => found["sk"] === sk);
  const row = Image.mustSee(ImageRow.parse(item(imageKey)), id, userId);
  if (row.state !== "ready") throw notReady(row);
  return { row, count: LikeCount.parse(item(countKey)) };
}

async function mineAmong(userId: string, ids: ImageId[]): Promise<Page> {
  const found = await Dynamo.getAll([...new Set(ids)].map((id) => LikeRow.key(id, userId)));
  return { items: found.map((item) => Info.parse(item)), next: null };
}

async function page(
  listed: string,
  limit: number,
  walk: AsyncGenerator<Pagination.Step<Info>, void>,
): Promise<Page> {
  const { shown, after } = await Pagination.take(walk, limit);
  return { items: shown, next: after && Cursor.write(listed, after) };
}

async function* walk(
  index: "gsi1" | "gsi2",
  partition: string,
  before: string,
  pageSize: number,
): AsyncGenerator<Pagination.Step<Info>, void> {
  const items = Dynamo.query({
    index,
    when: `#${index}pk = :partition AND #${index}sk < :before`,
    values: { partition, before },
    newestFirst: true,
    pageSize,
  });
  for await (const item of items)
    yield { position: String(item[`${index}sk`]), shown: Info.parse(item) };
}

const notReady = ({ id, state }: Image.Row) =>
  new VisibleError(
    "conflict",
    "image.not_ready",
    `Image ${id} is ${state}; it can be liked when it is ready`,
  );
