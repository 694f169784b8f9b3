import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import * as Idempotency from "./idempotency.ts";
import type { ImageId } from "./id.schema.ts";
import * as Image from "./image.ts";
import * as ImageRow from "./image.row.ts";
import * as LikeRow from "./like.row.ts";
import * as UsageRow from "./usage.row.ts";

// The deletion of an account. The request marks the user's row; the table's stream commands the rest:
// docs/adr/0023-the-stream-is-the-outbox.md

/** How many rows of each kind one call of `erase` removes: some seconds of work. */
const MAX_ROWS = 200;
const MAX_CONCURRENT_REMOVES = 16;

/** The mark stays longer than an ID token is valid, so that a token of the deleted user creates nothing. What it adds to other rows is erased when the mark expires. */
const MARK_SECONDS = Clock.DAY_SECONDS;

/**
 * Deletes the account of the signed-in user with everything that belongs to it: images, likes, idempotency keys and the
 * user of the user pool. It is done in the background, within minutes; from now on the user creates nothing. Can be repeated.
 *
 * @throws actor.unauthenticated
 */
export async function remove(): Promise<{ id: string }> {
  const { id } = Actor.requireUser();
  await markForDeletion(id);
  return { id };
}

/** Has the account of this user deleted, as `remove` does; also when the user pool has no such user any more. */
export const markForDeletion = (userId: string): Promise<unknown> =>
  Dynamo.update({
    key: UsageRow.key(userId),
    set: { deletingAt: Clock.nowIso(), expiresAt: Clock.nowSeconds() + MARK_SECONDS },
  });

/**
 * Removes rows that belong to a user: images become tombstones, which erases what belongs to them; likes and
 * idempotency keys are removed. True if nothing is left; if false, call it again. When it is interrupted, it can be called again.
 */
export async function erase(userId: string): Promise<boolean> {
  const removeRow = ({ pk, sk }: Dynamo.Item) => Dynamo.remove({ key: { pk, sk } as Dynamo.Key });
  const isDone = [
    await eachOf(inIndex(ImageRow.ownerKey(userId)), ({ id }) =>
      Image.removeOf(id as ImageId, userId),
    ),
    await eachOf(inIndex(LikeRow.likerKey(userId)), removeRow),
    await eachOf(Idempotency.userQuery(userId), removeRow),
  ];
  return isDone.every(Boolean);
}

/** Works on the first `MAX_ROWS` items of a query. True if there were no more. */
async function eachOf(query: Dynamo.Query, work: (item: Dynamo.Item) => Promise<unknown>) {
  const items: Dynamo.Item[] = [];
  for await (const item of Dynamo.query({ ...query, pageSize: MAX_ROWS })) {
    items.push(item);
    if (items.length === MAX_ROWS) break;
  }
  for (let first = 0; first < items.length; first += MAX_CONCURRENT_REMOVES)
    await Promise.all(items.slice(first, first + MAX_CONCURRENT_REMOVES).map(work));
  return items.length < MAX_ROWS;
}

const inIndex = (partition: string): Dynamo.Query => ({
  index: "gsi1",
  keyCondition: "#gsi1pk = :partition",
  values: { partition },
});
