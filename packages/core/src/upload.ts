import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Bucket from "./bucket.ts";
import * as Clock from "./clock.ts";
import * as ContentType from "./content-type.ts";
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
  MAX_BYTES,
  MAX_FORM_BYTES,
  type Method,
  PART_BYTES,
  Receive,
} from "./upload.schema.ts";
import { mebibytes } from "./text.schema.ts";
import * as UploadRow from "./upload-row.ts";
import type { Created, Info } from "./upload-state.schema.ts";

export * from "./upload.schema.ts";
export type { Created, Info } from "./upload-state.schema.ts";

type Description = Omit<z.output<typeof Create>, "sha256" | "method">;

/**
 * The state of an upload of the signed-in user, and what the bucket has of it while the image is pending.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 * @throws account.deleting, because no image was made of an upload through `PUT /s3`
 */
export const get = fn(Id.ImageId, async (id): Promise<Info> => {
  const row = await Image.findRow(id);
  const { id: userId } = Actor.requireUser();
  if (row?.ownerId !== userId) throw await missing(id, userId);
  if (row.state !== "pending") return UploadRow.toInfo(row);
  const OpenUpload = await import("./open-upload.ts");
  return OpenUpload.toPendingInfo(row);
});

/**
 * A new image of the signed-in user in the state `pending`, and how its bytes are sent to the bucket: by a presigned POST,
 * or in parts. An attempt of an idempotent request that has created its image already returns that image as it is now, and a
 * new POST, or the same parts.
 *
 * @throws actor.unauthenticated
 * @throws upload.gone
 * @throws upload.unsupported_type
 * @throws upload.too_large
 * @throws name.taken
 * @throws quota.images, quota.bytes, quota.open_uploads, quota.reserved_names
 * @throws account.deleting
 */
export const create = fn(Create, async ({ sha256, method, ...description }): Promise<Created> => {
  const { bytes } = description;
  const way = method ?? (bytes > MAX_FORM_BYTES ? "parts" : "form");
  if (way === "form" && bytes > MAX_FORM_BYTES) throw tooLargeForForm(bytes);
  if (way === "parts" && sha256 !== undefined) throw noHashOfParts();
  const row = await createImage(description, {
    method: way,
    ...(sha256 && { upload: { sha256 } }),
  });
  const image = await toInfo(row);
  if (way === "form") return { image, upload: await UploadRow.presignForm(row) };
  const expiresAt = row.expiresAt ?? Clock.nowSeconds();
  return {
    image,
    upload: { method: way, ...UploadRow.partition(row), ...UploadRow.expiry(expiresAt) },
  };
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
    const { length: bytes } = body;
    if (bytes > MAX_FORM_BYTES) throw tooLargeForForm(bytes);
    const row = await createImage({ ...description, bytes }, { method: "form" });
    // in another state the bytes have come, in an earlier attempt
    if (row.state === "pending" && !Idempotency.currentAttempt()?.isReplay)
      await Bucket.put(ObjectKey.upload(row.id), body, { type: row.type });
    return toInfo(row);
  },
);

type Way = { method: Method; upload?: ImageRow.Row["upload"] };

/** Writes the row of the image, counts it and reserves its name, or does nothing of it. */
async function createImage(
  { visibility = "public", tags = [], fileName, ...description }: Description,
  way: Way,
): Promise<ImageRow.Row> {
  const { id: userId } = Actor.requireUser();
  const type = ContentType.parse(description.type);
  if (type === undefined) throw unsupported(description.type);
  if (description.bytes > MAX_BYTES) throw tooLarge(description.bytes);
  const attempt = Idempotency.currentAttempt();
  if (attempt?.isReplay) return ownRow(attempt.imageId, userId);
  const id = attempt?.imageId ?? Id.create("image");
  // the same in every attempt
  const now = new Date(Id.timestampMs(id)).toISOString();
  const row: ImageRow.Row = {
    ...description,
    type,
    ...(fileName && { fileName }),
    id,
    ownerId: userId,
    state: "pending",
    visibility,
    tags,
    createdAt: now,
    updatedAt: now,
    version: 1,
    expiresAt: Clock.nowSeconds() + Clock.DAY_SECONDS,
    ...(way.upload && { upload: way.upload }),
  };
  const isWritten = way.method === "parts" ? await writeWithParts(row) : await writeRow(row);
  return isWritten ?? ownRow(id, userId);
}

/** Begins the multipart upload, and writes the row with its id. If no row gets the id, the bucket forgets the upload. */
async function writeWithParts(row: ImageRow.Row): Promise<ImageRow.Row | undefined> {
  const Multipart = await import("./multipart.ts");
  const key = ObjectKey.upload(row.id);
  const id = await Multipart.create(key, row.type);
  // without parts it costs nothing, and a rule of the bucket removes what remains
  const forget = () => Multipart.abort(key, id).catch(() => {});
  try {
    const written = await writeRow({
      ...row,
      upload: { multipart: { id, partBytes: PART_BYTES } },
    });
    if (!written) await forget();
    return written;
  } catch (error) {
    // of an error without an answer it is unknown whether the row was written
    if (error instanceof VisibleError) await forget();
    throw error;
  }
}

/** The row that was written; undefined if an earlier attempt of the same request had written one. */
async function writeRow(row: ImageRow.Row): Promise<ImageRow.Row | undefined> {
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
  if (result.type === "made") return row;
  if (result.type === "refused") throw result.error;
  if (result.type !== "unmet") throw new Error(`BUG: a new image was not created: ${result.type}`);
  // all of it was written then: the name is the image's own
  if (!result.results[0]!.isMet) return undefined;
  throw nameTaken(name!, await ImageName.suggest(name!));
}

/** The image of an upload through `PUT /s3` is created in a moment, unless the account is being deleted. */
async function missing(id: Id.ImageId, userId: string): Promise<VisibleError> {
  const { assertAccountStays } = await usage();
  await assertAccountStays(userId);
  const isNew = Date.now() - Id.timestampMs(id) < NEW_SECONDS * 1000;
  return UploadRow.notFound(id, isNew ? { retryAfterSeconds: 1 } : {});
}

const NEW_SECONDS = 60;

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

const gone = () =>
  new VisibleError(
    "gone",
    "upload.gone",
    "The image of this Idempotency-Key was deleted, or its upload has expired; a new upload needs a new key",
  );

const nameTaken = (name: string, suggestion: string | undefined) =>
  new VisibleError(
    "conflict",
    "name.taken",
    `Another image has the name ${name}; choose another name${suggestion ? `, such as ${suggestion}, which is free now` : ""}`,
    { suggestion },
  );

const unsupported = (type: string | undefined) =>
  new VisibleError(
    "unsupported",
    "upload.unsupported_type",
    `The content type ${type} is not of an image; send the image's type, or none. Images may be ${CONTENT_TYPES.join(", ")}`,
  );

const tooLarge = (bytes: number) =>
  new VisibleError(
    "too_large",
    "upload.too_large",
    `The upload has ${mebibytes(bytes)} (${bytes} bytes); the limit is 500 MiB (${MAX_BYTES} bytes)`,
  );

const tooLargeForForm = (bytes: number) =>
  new VisibleError(
    "too_large",
    "upload.too_large",
    `The upload has ${mebibytes(bytes)} (${bytes} bytes); one form takes at most 16 MiB (${MAX_FORM_BYTES} bytes). Larger ones are sent in parts, with the method "parts"`,
  );

const noHashOfParts = () =>
  new VisibleError("invalid", "input.invalid", "sha256 is only for a form", {
    issues: [
      { pointer: "/sha256", detail: "is only for a form: S3 does not check the hash of parts" },
    ],
  });

/** Loaded by the first request that changes the usage: the others start faster without it. */
const usage = () => import("./usage.ts");
