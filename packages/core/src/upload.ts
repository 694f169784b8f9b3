import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Bucket from "./bucket.ts";
import * as Clock from "./clock.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import * as Id from "./id.ts";
import * as Idempotency from "./idempotency.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as ImageName from "./image-name.ts";
import * as LikeCount from "./like-count.ts";
import * as ObjectKey from "./object-key.ts";
import {
  CONTENT_TYPES,
  Create,
  type Created,
  type Info,
  MAX_BYTES,
  Receive,
} from "./upload.schema.ts";

export * from "./upload.schema.ts";

/** A presigned POST can be used again until it expires: long enough for a slow connection, too short to be shared. */
const PRESIGNED_POST_SECONDS = 15 * 60;

/**
 * The state of an upload of the signed-in user.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 */
export const get = fn(Id.ImageId, async (id): Promise<Info> => {
  const { id: userId } = Actor.requireUser();
  const row = await Image.findRow(id);
  if (row?.ownerId !== userId) throw notFound(id);
  const { state, type, bytes, reason, createdAt, expiresAt } = row;
  return { id, state, type, bytes, reason, createdAt, ...(expiresAt && expiry(expiresAt)) };
});

/**
 * A new image of the signed-in user in the state `pending`, and a presigned POST that uploads its bytes to the bucket. An
 * attempt of an idempotent request that has created its image already returns that image as it is now, and a new POST.
 *
 * @throws actor.unauthenticated
 * @throws upload.gone
 * @throws upload.unsupported_type
 * @throws upload.too_large
 * @throws name.taken
 * @throws quota.images, quota.bytes, quota.open_uploads, quota.reserved_names
 * @throws account.deleting
 */
export const create = fn(Create, async ({ sha256, ...description }): Promise<Created> => {
  const row = await createImage(description);
  const now = Clock.nowSeconds();
  // not longer than the upload itself, which may have been created before
  const expiresAt = Math.min(now + PRESIGNED_POST_SECONDS, row.expiresAt ?? Infinity);
  const { url, fields } = await Bucket.presignPost({
    key: ObjectKey.upload(row.id),
    type: description.type,
    bytes: description.bytes,
    sha256,
    seconds: expiresAt - now,
  });
  return { image: await toInfo(row), upload: { url, fields, ...expiry(expiresAt) } };
});

/**
 * A new image of the signed-in user in the state `pending`, whose bytes (`body`) are stored already. Ingest does with it
 * what it does with every upload. An attempt of an idempotent request that has created its image already returns that image
 * as it is now.
 *
 * @throws actor.unauthenticated
 * @throws upload.gone
 * @throws upload.unsupported_type
 * @throws upload.too_large
 * @throws name.taken
 * @throws quota.images, quota.bytes, quota.open_uploads, quota.reserved_names
 * @throws account.deleting
 */
export const receive = fn(
  z.extend(Receive, { body: z.instanceof(Uint8Array) }),
  async ({ body, ...description }): Promise<Image.Info> => {
    const row = await createImage({ ...description, bytes: body.length });
    // in another state the bytes have come, in an earlier attempt
    if (row.state === "pending" && !Idempotency.currentAttempt()?.isReplay)
      await Bucket.put(ObjectKey.upload(row.id), body, { type: row.type });
    return toInfo(row);
  },
);

/** Writes the row of the image, counts it and reserves its name, or does nothing of it. */
async function createImage({
  visibility = "public",
  tags = [],
  ...description
}: Omit<z.output<typeof Create>, "sha256">): Promise<ImageRow.Row> {
  const { id: userId } = Actor.requireUser();
  if (!CONTENT_TYPES.some((type) => type === description.type)) throw unsupported(description.type);
  if (description.bytes > MAX_BYTES) throw tooLarge(description.bytes);
  const attempt = Idempotency.currentAttempt();
  if (attempt?.isReplay) return ownRow(attempt.imageId, userId);
  const id = attempt?.imageId ?? Id.create("image");
  // the same in every attempt
  const now = new Date(Id.timestampMs(id)).toISOString();
  const row: ImageRow.Row = {
    ...description,
    id,
    ownerId: userId,
    state: "pending",
    visibility,
    tags,
    createdAt: now,
    updatedAt: now,
    version: 1,
    expiresAt: Clock.nowSeconds() + Clock.DAY_SECONDS,
  };
  return (await writeRow(row)) ? row : ownRow(id, userId);
}

/** True if the row was written; false if an earlier attempt of the same request had written it. */
async function writeRow(row: ImageRow.Row): Promise<boolean> {
  const { id, bytes, name, ownerId } = row;
  const expiresAt = row.expiresAt!;
  const put = { item: ImageRow.item(row), condition: "attribute_not_exists(#pk)" };
  const reservation = name && { put: ImageName.reservation(name, row, expiresAt) };
  const result = await (
    await usage()
  ).apply(ownerId, { images: 1, bytes, open: { id, bytes, expiresAt, name } }, [
    { put },
    ...(reservation ? [reservation] : []),
  ]);
  if (result.type === "made") return true;
  if (result.type === "refused") throw result.error;
  if (result.type !== "unmet") throw new Error(`BUG: a new image was not created: ${result.type}`);
  // all of it was written then: the name is the image's own
  if (!result.results[0]!.isMet) return false;
  throw nameTaken(name!);
}

/** The row of an image that an earlier attempt of the same request created. */
async function ownRow(id: Id.ImageId, userId: string): Promise<ImageRow.Row> {
  const row = await Image.findRow(id);
  if (row?.ownerId !== userId) throw gone();
  return row;
}

async function toInfo(row: ImageRow.Row): Promise<Image.Info> {
  // a new image has no likes yet
  const counts = row.state === "ready" ? await LikeCount.getMany([row.id]) : new Map();
  return ImageRow.toInfo(row, counts.get(row.id) ?? 0);
}

const expiry = (seconds: number) => ({ expiresAt: new Date(seconds * 1000).toISOString() });

const notFound = (id: string) =>
  new VisibleError("not_found", "upload.not_found", `You have no upload ${id}`);

const gone = () =>
  new VisibleError(
    "gone",
    "upload.gone",
    "The image of this Idempotency-Key was deleted, or its upload has expired; a new upload needs a new key",
  );

const nameTaken = (name: string) =>
  new VisibleError(
    "conflict",
    "name.taken",
    `Another image has the name ${name}; choose another name`,
  );

const unsupported = (type: string) =>
  new VisibleError(
    "unsupported",
    "upload.unsupported_type",
    `The content type ${type} is not supported; supported are ${CONTENT_TYPES.join(", ")}`,
  );

const tooLarge = (bytes: number) =>
  new VisibleError(
    "too_large",
    "upload.too_large",
    `The upload has ${bytes} bytes; the limit is 16 MiB (${MAX_BYTES} bytes)`,
  );

/** Loaded by the first request that changes the usage: the others start faster without it. */
const usage = () => import("./usage.ts");
