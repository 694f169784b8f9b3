import { VisibleError } from "@balde/core/error";
import { ImageId } from "@balde/core/id.schema";
import * as Image from "@balde/core/image";
import * as Format from "@balde/imaging/format";
import type * as Ladder from "@balde/imaging/ladder";
import type { Source } from "@balde/imaging/plan";
import { LRUCache } from "lru-cache";
import * as z from "zod/mini";

/** What delivery needs to know of an image. */
export type DeliverableImage = {
  id: ImageId;
  rev: string;
  isPublic: boolean;
  source: Source;
  rungs: (Ladder.Rung & Image.Rung)[];
};

/** A page of thumbnails reads the row of each image once, and a deleted image is gone two seconds later. A thousand rows are a few megabytes at most. */
const rows = new LRUCache<ImageId, Promise<Image.Row | undefined>>({ max: 1000, ttl: 2000 });

/**
 * The image, if it may be delivered: it is ready, public or asked for with a signature, and of this revision if one is named.
 *
 * @throws image.not_found, image.not_ready, image.no_such_revision
 */
export async function get(
  id: string,
  rev: string | undefined,
  isSigned: boolean,
): Promise<DeliverableImage> {
  const parsed = z.safeParse(ImageId, id);
  const row = parsed.success ? await findRow(parsed.data) : undefined;
  // the response to a request without a signature does not tell whether a private image exists
  const isPublic = row?.visibility === "public";
  if (!row || !(isPublic || isSigned)) throw notFound(id);
  if (row.state === "pending" || row.state === "processing") throw notReady(id);
  const { width, height } = row;
  if (row.state !== "ready" || !row.rev || !width || !height) throw notFound(id);
  if (rev !== undefined && rev !== row.rev) throw noSuchRevision(id, rev);

  const { hasAlpha = false, pages = 1, credit } = row;
  const format = Format.byContentType(row.type);
  if (!format) throw new Error(`BUG: image ${id} is ready with the content type ${row.type}`);
  return {
    id: row.id,
    rev: row.rev,
    isPublic,
    source: { width, height, format, hasAlpha, pages, credit },
    rungs: (row.rungs ?? []).map((rung) => ({ ...rung, contentType: rung.type })),
  };
}

function findRow(id: ImageId): Promise<Image.Row | undefined> {
  const cached = rows.get(id);
  if (cached) return cached;
  const row = Image.findRow(id);
  rows.set(id, row);
  // an image that is missing or not ready may be ready a moment later
  row.then(
    (found) => found?.state === "ready" || rows.delete(id),
    () => rows.delete(id),
  );
  return row;
}

const notFound = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id.slice(0, 64)}`);

const notReady = (id: string) =>
  new VisibleError("not_found", "image.not_ready", `Image ${id} is still being prepared`, {
    retryAfterSeconds: 1,
  });

const noSuchRevision = (id: string, rev: string) =>
  new VisibleError(
    "not_found",
    "image.no_such_revision",
    `Image ${id} has no revision ${rev.slice(0, 64)}`,
  );
