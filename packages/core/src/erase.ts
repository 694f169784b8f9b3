import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as ImageTag from "./image-tag.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import * as RenderLease from "./render-lease.ts";

// The rows that belong to a deleted image. Its objects are in packages/functions/src/ingest/image-objects.ts.

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
