import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import type * as Pagination from "./pagination.ts";

// The images of a tag: one row for each tag of each image that is in the feed. The rows are written in one transaction with
// the image's row, so they are exact; a list reads the images' rows all the same: docs/adr/0025-bounded-lists.md

type Image = Pick<ImageRow.Row, "id" | "state" | "visibility" | "tags">;

/** The writes that bring the rows from one state of an image to the next, for a transaction with the image's row: none if the tags stay listed as they are. */
export function changes(before: Image, after: Image): Dynamo.Write[] {
  const [old, wanted] = [listedTags(before), listedTags(after)];
  const { id } = after;
  return [
    ...[...wanted].filter((tag) => !old.has(tag)).map((tag) => ({ put: { item: item(id, tag) } })),
    ...[...old].filter((tag) => !wanted.has(tag)).map((tag) => ({ remove: { key: key(id, tag) } })),
  ];
}

/** The query for all rows of an image, strongly consistent. */
export const imageQuery = (id: ImageId): Dynamo.Query => ({
  keyCondition: "#pk = :pk",
  values: { pk: partition(id) },
  isConsistent: true,
});

/** The list of the images with a tag, newest first, for pages of `limit` images. Each read is two requests to the table. */
export const source =
  (tag: string, limit: number): Pagination.Source<ImageRow.Row> =>
  async (before) => {
    const { items, reached } = await Dynamo.queryPage({
      index: "gsi2",
      keyCondition: "#gsi2pk = :tag AND #gsi2sk < :before",
      values: { tag: tagKey(tag), before },
      newestFirst: true,
      pageSize: Math.min(limit + 1, Dynamo.MAX_BATCH_GET_KEYS),
    });
    const ids = items.map((found) => found["gsi2sk"] as ImageId);
    const found = ids.length > 0 ? await Dynamo.getMany(ids.map(ImageRow.key), true) : [];
    const rows = new Map(found.map((one) => [one["id"], ImageRow.parse(one)]));
    const entries = ids.map((id) => {
      const row = rows.get(id);
      // the index is a moment behind the table, and the rows of a deleted image stay until it is erased
      return { position: id, item: row && listedTags(row).has(tag) ? row : undefined };
    });
    return { entries, reached };
  };

/** The tags under which an image is listed: each once, and none if the image is not in the feed. */
const listedTags = ({ state, visibility, tags }: Image): Set<string> =>
  new Set(state === "ready" && visibility === "public" ? tags : []);

const item = (id: ImageId, tag: string) => ({ ...key(id, tag), gsi2pk: tagKey(tag), gsi2sk: id });

const key = (id: ImageId, tag: string): Dynamo.Key => ({ pk: partition(id), sk: tagKey(tag) });
const partition = (id: ImageId) => `TAGGED#${id}`;
const tagKey = (tag: string) => `TAG#${tag}`;
