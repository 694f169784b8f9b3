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
  /** Of the file that was uploaded; else the image's own name. */
  fileName: string | undefined;
  source: Source;
  /** What no plan needs: of the original its content type and size in bytes, the dominant colour and the placeholder. */
  facts: Pick<Image.Row, "type" | "bytes" | "color" | "thumbhash">;
  rungs: (Ladder.Rung & Image.Rung)[];
};

// Each request may see some images: with a signature all, without one the public ones. An image that the request may not see
// is remembered exactly like an absent one, and the two kinds of requests share nothing that is remembered: the number of
// requests to the table, and so the time of the response, does not tell whether a private image exists.

/** A page of thumbnails reads the row of each image once, and a deleted image is gone two seconds later. A thousand rows are a few megabytes at most. */
const found = new LRUCache<string, Finding>({ max: 1000, ttl: 2000 });
type Finding = { row: Promise<Image.Row | undefined>; isRead: boolean };
/** What a request may not see or is not there. A cache of its own, so that guessed ids do not displace the rows of images. */
const hidden = new LRUCache<string, true>({ max: 1000, ttl: 2000 });

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
  const row = parsed.success ? await findVisibleRow(parsed.data, isSigned) : undefined;
  if (!row) throw notFound(id);
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
    isPublic: row.visibility === "public",
    fileName: row.fileName ?? row.name,
    source: { width, height, format, hasAlpha, pages, credit },
    facts: { type: row.type, bytes: row.bytes, color: row.color, thumbhash: row.thumbhash },
    rungs: (row.rungs ?? []).map((rung) => ({ ...rung, contentType: rung.type })),
  };
}

/** Whether `get` needs no request to the table for this image. */
export function isKnown(id: ImageId, isSigned: boolean): boolean {
  const key = cacheKey(id, isSigned);
  return hidden.has(key) || (found.peek(key)?.isRead ?? false);
}

const cacheKey = (id: ImageId, isSigned: boolean) => `${isSigned ? "signed" : "unsigned"} ${id}`;

/** The row, if a request with or without a signature may see it. */
async function findVisibleRow(id: ImageId, isSigned: boolean): Promise<Image.Row | undefined> {
  const key = cacheKey(id, isSigned);
  if (hidden.get(key)) return undefined;
  const cached = found.get(key);
  if (cached) return cached.row;
  const reading = Image.findRow(id).then((row) =>
    isSigned || row?.visibility === "public" ? row : undefined,
  );
  // requests at the same time share one read
  const finding = { row: reading, isRead: false };
  found.set(key, finding);
  try {
    const row = await reading;
    finding.isRead = true;
    // an image that is not ready may be ready a moment later
    if (row?.state !== "ready") found.delete(key);
    if (!row) hidden.set(key, true);
    return row;
  } catch (error) {
    found.delete(key);
    throw error;
  }
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
