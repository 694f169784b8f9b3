import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Bucket from "./bucket.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as ImageName from "./image-name.ts";
import * as ObjectKey from "./object-key.ts";
import { Create, type Created, type Info, MAX_BYTES, Receive, types } from "./upload.schema.ts";

export * from "./upload.schema.ts";

/** A form can be used again and again until it expires: long enough for a slow line, too short to be passed on. */
const FORM_SECONDS = 15 * 60;

/** How far an upload is, for whoever made it. */
export const find = fn(Id.ImageId, async (id): Promise<Info> => {
  const me = Actor.user();
  const row = await Image.findRow(id);
  if (row?.ownerId !== me.id) throw notFound(id);
  const { state, type, bytes, reason, createdAt, expiresAt } = row;
  return { id, state, type, bytes, reason, createdAt, ...(expiresAt && until(expiresAt)) };
});

/** An image that waits for its bytes, and a form to post them straight to the bucket. */
export const create = fn(Create, async ({ sha256, ...about }): Promise<Created> => {
  const row = await reserve(about);
  const { url, fields } = await Bucket.form({
    key: ObjectKey.upload(row.id),
    type: about.type,
    bytes: about.bytes,
    sha256,
    seconds: FORM_SECONDS,
  });
  const upload = { url, fields, ...until(ImageRow.seconds() + FORM_SECONDS) };
  return { image: ImageRow.toInfo(row, 0), upload };
});

/** An image whose bytes came with the request. From here on it goes the way of every upload. */
export const receive = fn(
  z.extend(Receive, { body: z.instanceof(Uint8Array) }),
  async ({ body, ...about }): Promise<Image.Info> => {
    const row = await reserve({ ...about, bytes: body.length });
    await Bucket.put(ObjectKey.upload(row.id), body, { type: row.type });
    return ImageRow.toInfo(row, 0);
  },
);

/** Image and name, or neither. */
async function reserve({
  visibility = "public",
  tags = [],
  ...about
}: Omit<z.output<typeof Create>, "sha256">): Promise<ImageRow.Row> {
  const me = Actor.user();
  if (!types.some((type) => type === about.type)) throw unsupported(about.type);
  if (about.bytes > MAX_BYTES) throw tooLarge(about.bytes);
  const now = new Date().toISOString();
  const row: ImageRow.Row = {
    ...about,
    id: Id.create("image"),
    ownerId: me.id,
    state: "pending",
    visibility,
    tags,
    createdAt: now,
    updatedAt: now,
    version: 1,
    expiresAt: ImageRow.seconds() + ImageRow.DAY_SECONDS,
  };
  await write(row);
  return row;
}

async function write(row: ImageRow.Row) {
  const put = { item: ImageRow.item(row), when: "attribute_not_exists(#pk)" };
  if (!row.name) {
    await Dynamo.put(put);
    return;
  }
  const reservation = ImageName.reservation(row.name, row, row.expiresAt!);
  const [, nameIsFree] = await Dynamo.putTogether([put, reservation]);
  if (!nameIsFree) throw nameTaken(row.name);
}

const until = (seconds: number) => ({ expiresAt: new Date(seconds * 1000).toISOString() });

const notFound = (id: string) =>
  new VisibleError("not_found", "upload.not_found", `You have no upload ${id}`);

const nameTaken = (name: string) =>
  new VisibleError("conflict", "name.taken", `The name ${name} is another picture's`);

const unsupported = (type: string) =>
  new VisibleError(
    "unsupported",
    "upload.unsupported_type",
    `${type} is not a type of picture that is taken; these are: ${types.join(", ")}`,
  );

const tooLarge = (bytes: number) =>
  new VisibleError(
    "too_large",
    "upload.too_large",
    `${bytes} bytes are more than an upload may have: 16 MB (${MAX_BYTES} bytes)`,
  );
