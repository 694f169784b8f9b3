import * as Actor from "./actor.ts";
import * as Bucket from "./bucket.ts";
import * as Clock from "./clock.ts";
import { VisibleError } from "./error.ts";
import type { ImageId } from "./id.schema.ts";
import type * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as ObjectKey from "./object-key.ts";
import { type Method, PART_BYTES } from "./upload.schema.ts";
import type { Info, PresignedPost } from "./upload-state.schema.ts";

// What the row of an image says of its upload.

/**
 * The row of an upload of the signed-in user.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 */
export async function getOwnRow(id: ImageId): Promise<ImageRow.Row> {
  const { id: userId } = Actor.requireUser();
  const row = await Image.findRow(id);
  if (row?.ownerId !== userId) throw notFound(id);
  return row;
}

/** The state of an upload, as its owner sees it. */
export const toInfo = ({
  id,
  state,
  type,
  bytes,
  reason,
  createdAt,
  expiresAt,
}: ImageRow.Row): Info => ({
  id,
  state,
  type,
  bytes,
  reason,
  createdAt,
  ...(expiresAt && expiry(expiresAt)),
});

/** The size of a part and the number of parts of an upload. */
export function partition({ bytes, upload }: ImageRow.Row) {
  const partBytes = upload?.multipart?.partBytes ?? PART_BYTES;
  return { partBytes, partCount: Math.ceil(bytes / partBytes) };
}

/** A presigned POST can be used again until it expires: long enough for a slow connection, too short to be shared. */
const PRESIGNED_POST_SECONDS = 15 * 60;

/** A presigned POST for the bytes of a pending image, as its row describes them. */
export async function presignForm(row: ImageRow.Row): Promise<PresignedPost> {
  const now = Clock.nowSeconds();
  // not longer than the upload itself, which may have been created before
  const expiresAt = Math.min(now + PRESIGNED_POST_SECONDS, row.expiresAt ?? Infinity);
  const { url, fields } = await Bucket.presignPost({
    key: ObjectKey.upload(row.id),
    type: row.type,
    bytes: row.bytes,
    ...(row.upload?.sha256 && { sha256: row.upload.sha256 }),
    seconds: expiresAt - now,
  });
  return { method: "form", url, fields, ...expiry(expiresAt) };
}

/** The attribute `expiresAt` of a response, from seconds since 1970. */
export const expiry = (seconds: number) => ({ expiresAt: new Date(seconds * 1000).toISOString() });

/** The error for an upload that does not exist, or is of another user. */
export const notFound = (id: string, options: { retryAfterSeconds?: number } = {}) =>
  new VisibleError("not_found", "upload.not_found", `You have no upload ${id}`, options);

/** The error of a request that is too late: ingest has the bytes. */
export const received = (id: string) =>
  new VisibleError("conflict", "upload.received", `The bytes of ${id} have come already`);

/** The error of a request for the other method than the upload's own. */
export const otherMethod = (id: string, method: Method) =>
  new VisibleError(
    "conflict",
    "upload.other_method",
    method === "form" ? `Upload ${id} is sent as a form` : `Upload ${id} is sent in parts`,
  );
