import { VisibleError } from "@balde/core/error";
import { ImageId } from "@balde/core/id.schema";
import * as Image from "@balde/core/image";
import * as Format from "@balde/imaging/format";
import type * as Ladder from "@balde/imaging/ladder";
import type { Source } from "@balde/imaging/plan";
import * as z from "zod/mini";

/** What delivery must know of an image. */
export type Picture = {
  id: ImageId;
  rev: string;
  isPublic: boolean;
  source: Source;
  rungs: (Ladder.Rung & Image.Rung)[];
};

/** How long an answer of the table is believed: a page of thumbnails asks once per picture, and a deleted picture is gone this many milliseconds later. */
const BELIEVED_MS = 2000;
/** A few megabytes at most. */
const MOST_BELIEVED = 1000;

const believed = new Map<ImageId, { until: number; row: Promise<Image.Row | undefined> }>();

/** The picture that may be delivered: ready, public unless the address is signed, and of this revision if one is named. */
export async function get(
  id: string,
  rev: string | undefined,
  isSigned: boolean,
): Promise<Picture> {
  const known = z.safeParse(ImageId, id);
  const row = known.success ? await find(known.data) : undefined;
  // who may not see a picture does not learn that it exists
  const isPublic = row?.visibility === "public";
  if (!row || !(isPublic || isSigned)) throw notFound(id);
  if (row.state === "pending" || row.state === "processing") throw notReady(id);
  const { width, height } = row;
  if (row.state !== "ready" || !row.rev || !width || !height) throw notFound(id);
  if (rev !== undefined && rev !== row.rev) throw notThis(id, rev);

  const { hasAlpha = false, pages = 1, credit } = row;
  const format = Format.byContentType(row.type);
  if (!format) throw new Error(`image ${id} is ready with the type ${row.type}`);
  return {
    id: row.id,
    rev: row.rev,
    isPublic,
    source: { width, height, format, hasAlpha, pages, credit },
    rungs: (row.rungs ?? []).map((rung) => ({ ...rung, contentType: rung.type })),
  };
}

function find(id: ImageId) {
  const now = Date.now();
  const last = believed.get(id);
  if (last && last.until > now) return last.row;
  const row = Image.findRow(id);
  // what is not there, or not ready, may be a moment later
  row.then(
    (found) => found?.state === "ready" || believed.delete(id),
    () => believed.delete(id),
  );
  believed.delete(id);
  believed.set(id, { until: now + BELIEVED_MS, row });
  // a map remembers the order of its keys: the first is the oldest
  const [oldest] = believed.keys();
  if (believed.size > MOST_BELIEVED && oldest) believed.delete(oldest);
  return row;
}

const notFound = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id.slice(0, 64)}`);

const notReady = (id: string) =>
  new VisibleError("not_found", "image.not_ready", `Image ${id} is still being prepared`, {
    retryAfterSeconds: 1,
  });

const notThis = (id: string, rev: string) =>
  new VisibleError(
    "not_found",
    "image.no_such_revision",
    `Image ${id} has no revision ${rev.slice(0, 64)}`,
  );
