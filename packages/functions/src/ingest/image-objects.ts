import { writeFile } from "node:fs/promises";

import * as Bucket from "@balde/core/bucket";
import * as ImageName from "@balde/core/image-name";
import type * as Ingest from "@balde/core/ingest";
import type { ImageId } from "@balde/core/image.schema";
import * as Multipart from "@balde/core/multipart";
import * as ObjectKey from "@balde/core/object-key";
import type { Prepared } from "@balde/imaging/prepare";
import { Refusal } from "@balde/imaging/refusal";

import { download } from "../download.ts";
import * as TemporaryFolder from "../temporary-folder.ts";
import { rungType } from "./findings.ts";
import type { UploadedObject } from "./message.ts";

// Every object of an image that ingest stores or removes: the upload, the original, its rungs, the copy under the image's
// name and, to remove them, its derivatives. Keys come from the bytes, so that to store twice is to store once.

/** The first bytes of an upload. Throws the refusal `upload.gone` when the object was replaced or has expired. */
export async function readStart(
  { key, size, eTag }: UploadedObject,
  length: number,
): Promise<Buffer> {
  // S3 refuses every range of an empty object
  if (size === 0) return Buffer.alloc(0);
  const bytes = await Bucket.read(key, eTag, `bytes=0-${length - 1}`);
  if (!bytes) throw uploadGone();
  return bytes;
}

/** Writes an upload into the file; `start` are its first bytes, which were read before. Throws the refusal `upload.gone` as `readStart` does. */
export async function downloadUpload(
  { key, size, eTag }: UploadedObject,
  file: string,
  start: Buffer,
): Promise<void> {
  if (start.length >= size) return writeFile(file, start);
  if ((await download(key, file, { eTag, start })) === undefined) throw uploadGone();
}

/** Runs the work with a file that has the accepted bytes of the image, and their number; undefined when the image has none. */
export const withOriginal = async <T>(
  { id, rev }: Ingest.Image,
  work: (file: string, bytes: number) => Promise<T>,
): Promise<T | undefined> =>
  TemporaryFolder.withFile(async (file) => {
    const bytes = rev && (await download(ObjectKey.original(id, rev), file));
    return bytes ? work(file, bytes) : undefined;
  });

/** Stores what was prepared, and first the original if it is still an upload. Throws the refusals `upload.gone` and `name.taken`. */
export async function store(
  image: Ingest.Image,
  prepared: Prepared,
  upload?: UploadedObject,
): Promise<void> {
  const { id } = image;
  const { rev, contentType, rungs } = prepared;
  await claimName(image);
  // before the rungs, so that there are none of bytes that are gone
  if (upload && !(await Bucket.copy(upload, ObjectKey.original(id, rev), { type: contentType })))
    throw uploadGone();
  await Promise.all([
    ...rungs.map(({ width, height, data, contentType }) => {
      const type = rungType(contentType);
      return Bucket.put(ObjectKey.rung(id, rev, { width, height, type }), data, { type });
    }),
    putNamedCopy(image, prepared),
  ]);
}

/** Stores the copy under the image's name. Throws the refusal `name.taken`. */
export async function storeNamedCopy(image: Ingest.Image, prepared: Prepared): Promise<void> {
  await claimName(image);
  await putNamedCopy(image, prepared);
}

/** Whether the copy under the image's name was made of this revision of it. */
export async function isNamedCopyCurrent({ id, rev, name }: Ingest.Image): Promise<boolean> {
  const { metadata } = (await Bucket.head(ObjectKey.namedCopy(name!))) ?? {};
  return metadata?.[COPY_OF] === id && metadata[COPY_REVISION] === rev;
}

/** Removes every version of the copy under the image's name that was stored for this image. Another image may have the name by now: its copy stays, also if a late write of this image hides it. */
export async function removeNamedCopy({ id, name }: NamedImage): Promise<void> {
  if (name) await Bucket.removeVersionsWith(ObjectKey.namedCopy(name), COPY_OF, id);
}

/** Removes the copy under the image's name and frees the name. While the image has the name, no other image stores a copy. */
export async function freeName(image: NamedImage): Promise<void> {
  await removeNamedCopy(image);
  if (image.name) await ImageName.release(image.name, image.id);
}

/** Removes the uploaded version of the object; not a later one. Without a version number the bucket's lifecycle removes the upload within a day. */
export async function removeUpload({ key, versionId }: UploadedObject): Promise<void> {
  if (versionId) await Bucket.removeVersion(key, versionId);
}

/** Removes the originals and the rungs of all revisions but this one. */
export async function removeOtherRevisions(id: ImageId, rev: string): Promise<void> {
  await Promise.all([
    Bucket.removeByPrefixExcept(ObjectKey.originalsPrefix(id), ObjectKey.original(id, rev)),
    Bucket.removeByPrefixExcept(ObjectKey.ladderPrefix(id), ObjectKey.rungsPrefix(id, rev)),
  ]);
}

/** Removes everything that was rendered of an image; it is rendered again when it is requested. */
export const removeDerivatives = (id: ImageId): Promise<void> =>
  Bucket.removeByPrefix(ObjectKey.derivativesPrefix(id));

/** Removes all objects of an image, every version of them, but for the copy under its name. */
export async function removeAll(id: ImageId): Promise<void> {
  await Promise.all([
    Bucket.removeAllVersions(ObjectKey.upload(id)),
    Multipart.abortAll(ObjectKey.upload(id)),
    ...ObjectKey.imagePrefixes(id).map(Bucket.removeByPrefix),
  ]);
}

/** Whether there is a copy under the image's name. */
export const hasNamedCopy = ({
  name,
  visibility,
}: Pick<Partial<Ingest.Image>, "name" | "visibility">): boolean =>
  name !== undefined && visibility === "public";

type NamedImage = Pick<Ingest.Image, "id" | "name">;

/** Metadata of a named copy: the image that it was stored for, and its revision. The key has the name only, which another image may get. */
const COPY_OF = "image";
const COPY_REVISION = "rev";

/** The row of the name decides which image has it: only that image may store the copy. */
async function claimName(image: Ingest.Image) {
  const { name } = image;
  if (name && !(await ImageName.claim(name, image))) throw nameTaken(name);
}

async function putNamedCopy({ id, name }: Ingest.Image, { rev, namedCopy }: Prepared) {
  if (!name || !namedCopy) return;
  await Bucket.put(ObjectKey.namedCopy(name), namedCopy.data, {
    type: namedCopy.contentType,
    // the name may be another image's tomorrow
    cacheControl: "public, max-age=60",
    metadata: { [COPY_OF]: id, [COPY_REVISION]: rev },
  });
}

const uploadGone = () =>
  new Refusal("unprocessable", "upload.gone", "The uploaded bytes were replaced or have expired");

const nameTaken = (name: string) =>
  new Refusal("unprocessable", "name.taken", `Another image has the name ${name} by now`);
