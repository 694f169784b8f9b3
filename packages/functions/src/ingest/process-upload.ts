import * as Bucket from "@balde/core/bucket";
import * as Id from "@balde/core/id";
import * as Image from "@balde/core/image.schema";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import * as Upload from "@balde/core/upload.schema";
import * as Limits from "@balde/imaging/limits";
import type { Prepared } from "@balde/imaging/prepare";
import { Refusal } from "@balde/imaging/refusal";
import * as WorkerProcess from "@balde/imaging/worker-process";

import * as TemporaryFolder from "../temporary-folder.ts";
import { eraseImage } from "./erase-image.ts";
import { findings } from "./findings.ts";
import * as ImageObjects from "./image-objects.ts";
import type { S3Record, UploadedObject } from "./message.ts";
import { syncImage } from "./sync-image.ts";

/**
 * Makes an uploaded image ready, or rejects it, and removes the upload. A record that comes again, or late, or again with the
 * same bytes, changes nothing.
 *
 * @throws OwnerIsBusy if the owner's share of ingest is used
 */
export async function processUpload(record: S3Record, limit: WorkerProcess.Limit): Promise<void> {
  const { object } = record.s3;
  const upload = await findUpload(record);
  if (!upload)
    return console.warn({
      message: "The object is not an upload of an image",
      eventName: record.eventName,
      key: object.key,
    });
  const { id, named } = upload;
  const event = { id, sequencer: object.sequencer, tag: `${object.size} ${object.eTag}` };
  // read while the table is asked; for nothing if there is nothing to do
  const head = ImageObjects.readStart(object, HEAD_BYTES);
  head.catch(() => {});
  const image = await (named
    ? Ingest.startNamedUpload(event, named)
    : Ingest.startProcessing(event));
  if (!image) return settle(id, object, await Ingest.readRow(id), limit);
  try {
    checkName(image, object);
    const namedCopy = ImageObjects.hasNamedCopy(image);
    const prepared = await TemporaryFolder.withFile(async (file) => {
      await readInto(file, object, head);
      return WorkerProcess.prepare(file, { ...limit, namedCopy });
    });
    await ImageObjects.store(image, await publishable(prepared, id), object);
    const ready = await Ingest.markReady(event, image, findings(object.size, prepared));
    // nothing else was stored, and the copy under the name is what the row says
    const isSettled = ready?.attempts === 1 && ready.visibility === image.visibility;
    if (isSettled) await ImageObjects.removeUpload(object);
    else await settle(id, object, ready ?? (await Ingest.readRow(id)), limit);
  } catch (error) {
    if (!(error instanceof Refusal)) {
      // otherwise the slot is used until its lease ends; the error is that of the attempt
      await Ingest.stopProcessing(event, image).catch(() => {});
      throw error;
    }
    const reason = { code: error.code, detail: error.detail };
    const rejected = await Ingest.markRejected(event, image, reason);
    await settle(id, object, rejected ?? (await Ingest.readRow(id)), limit);
  }
}

/** Without the named copy if the owner has made the image private, or deleted it, while it was prepared: what was never public must not be so for a moment. */
async function publishable(prepared: Prepared, id: Image.ImageId): Promise<Prepared> {
  if (!prepared.namedCopy) return prepared;
  const row = await Ingest.readRow(id);
  return row && ImageObjects.hasNamedCopy(row) ? prepared : { ...prepared, namedCopy: undefined };
}

/** The image that the object was uploaded for; `named` if it came through `PUT /s3`. */
type FoundUpload = { id: Image.ImageId; named?: Ingest.NamedUpload };

/** undefined if the record is of another kind. */
async function findUpload(record: S3Record): Promise<FoundUpload | undefined> {
  if (!record.eventName.startsWith("ObjectCreated:")) return undefined;
  const id = ObjectKey.parseUploadKey(record.s3.object.key);
  return id ? { id } : findNamedUpload(record);
}

async function findNamedUpload({
  eventTime,
  s3: { object },
}: S3Record): Promise<FoundUpload | undefined> {
  const upload = ObjectKey.parseNamedUploadKey(object.key);
  if (!upload) return undefined;
  const { ownerId, type, name } = upload;
  const { metadata } = (await Bucket.head(object.key)) ?? {};
  // the gateway writes the owner from the token into the metadata; the key alone could be anyone's
  if (metadata?.["owner"] !== ownerId) return undefined;
  const { time, request } = metadata;
  const cause = `${object.key} ${object.versionId ?? object.sequencer}`;
  const id =
    request && /^\d{13}$/.test(time ?? "")
      ? Id.ofRequest(Number(time), request)
      : Id.derive("image", Date.parse(eventTime), cause);
  const isName = Image.Name.safeParse(name).success;
  const about = { id, ownerId, ...(isName && { name }), type, bytes: object.size };
  return { id, named: { ...about, uploadedAt: eventTime } };
}

/** Throws the refusal `name.invalid` if the upload's key has a name that no image can have. */
function checkName(image: Ingest.Image, { key }: UploadedObject) {
  const upload = ObjectKey.parseNamedUploadKey(key);
  if (!upload || image.name) return;
  const rule = Image.Name.safeParse(upload.name).error?.issues[0]?.message;
  const name = JSON.stringify(upload.name);
  throw new Refusal("unprocessable", "name.invalid", `${name} cannot be a name: ${rule}`);
}

/** As much of a file as tells what it is: always for JPEG, PNG, GIF, AVIF and SVG, not always for WebP, TIFF and a JPEG with a large profile. */
const HEAD_BYTES = 64 * 1024;

/** Writes the whole upload into the file, which may be larger than the memory. Of one that is refused for its size or its first bytes, no more than those is read. */
async function readInto(
  file: string,
  object: UploadedObject,
  reading: Promise<Buffer>,
): Promise<void> {
  const { size } = object;
  if (size > Upload.MAX_BYTES) throw tooLarge(size);
  const head = await reading;
  await WorkerProcess.precheck(head, { size, milliseconds: Limits.PRECHECK_SECONDS * 1000 });
  await ImageObjects.downloadUpload(object, file, head);
}

/**
 * Removes the upload, and brings the image's other objects to what its row says now: this attempt, an interrupted one or
 * another upload of the image may have stored some that do not belong to it. While another upload is processed, that one
 * does it when it is ready.
 */
async function settle(
  id: Image.ImageId,
  object: UploadedObject,
  { state, name, rev }: Partial<Ingest.Image>,
  limit: WorkerProcess.Limit,
): Promise<void> {
  if (state === "deleted") await eraseImage({ imageId: id, name });
  if (state === "rejected") await ImageObjects.freeName({ id, name });
  if (state === "ready") {
    await ImageObjects.removeOtherRevisions(id, rev!);
    await syncImage({ imageId: id }, limit);
  }
  await ImageObjects.removeUpload(object);
}

const tooLarge = (size: number) =>
  new Refusal(
    "too_large",
    "upload.too_large",
    `The upload has ${size} bytes; ${Upload.MAX_BYTES} are allowed`,
  );
