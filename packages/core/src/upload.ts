import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Bucket from "./bucket.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as ImageName from "./image-name.ts";
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
 * A new image of the signed-in user in the state `pending`, and a presigned POST that uploads its bytes to the bucket.
 *
 * @throws actor.unauthenticated
 * @throws upload.unsupported_type
 * @throws upload.too_large
 * @throws name.taken
 */
export const create = fn(Create, async ({ sha256, ...description }): Promise<Created> => {
  const row = await createImage(description);
  const { url, fields } = await Bucket.presignPost({
    key: ObjectKey.upload(row.id),
    type: description.type,
    bytes: description.bytes,
    sha256,
    seconds: PRESIGNED_POST_SECONDS,
  });
  const upload = { url, fields, ...expiry(Clock.nowSeconds() + PRESIGNED_POST_SECONDS) };
  return { image: ImageRow.toInfo(row, 0), upload };
});

/**
 * A new image of the signed-in user in the state `pending`, whose bytes (`body`) are stored already. Ingest does with it
 * what it does with every upload.
 *
 * @throws actor.unauthenticated
 * @throws upload.unsupported_type
 * @throws upload.too_large
 * @throws name.taken
 */
export const receive = fn(
  z.extend(Receive, { body: z.instanceof(Uint8Array) }),
  async ({ body, ...description }): Promise<Image.Info> => {
    const row = await createImage({ ...description, bytes: body.length });
    await Bucket.put(ObjectKey.upload(row.id), body, { type: row.type });
    return ImageRow.toInfo(row, 0);
  },
);

/** Writes the row of the image and reserves its name, or does neither. */
async function createImage({
  visibility = "public",
  tags = [],
  ...description
}: Omit<z.output<typeof Create>, "sha256">): Promise<ImageRow.Row> {
  const { id: userId } = Actor.requireUser();
  if (!CONTENT_TYPES.some((type) => type === description.type)) throw unsupported(description.type);
  if (description.bytes > MAX_BYTES) throw tooLarge(description.bytes);
  const now = Clock.nowIso();
  const row: ImageRow.Row = {
    ...description,
    id: Id.create("image"),
    ownerId: userId,
    state: "pending",
    visibility,
    tags,
    createdAt: now,
    updatedAt: now,
    version: 1,
    expiresAt: Clock.nowSeconds() + Clock.DAY_SECONDS,
  };
  await writeRow(row);
  return row;
}

async function writeRow(row: ImageRow.Row) {
  const put = { item: ImageRow.item(row), condition: "attribute_not_exists(#pk)" };
  if (!row.name) {
    await Dynamo.put(put);
    return;
  }
  const reservation = ImageName.reservation(row.name, row, row.expiresAt!);
  const [, reserved] = await Dynamo.transact([{ put }, { put: reservation }]);
  if (!reserved!.isMet) throw nameTaken(row.name);
}

const expiry = (seconds: number) => ({ expiresAt: new Date(seconds * 1000).toISOString() });

const notFound = (id: string) =>
  new VisibleError("not_found", "upload.not_found", `You have no upload ${id}`);

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
