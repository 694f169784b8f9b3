import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Bucket from "./bucket.ts";
import * as Clock from "./clock.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import * as Id from "./id.ts";
import type * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import type { StoredPart } from "./multipart.ts";
import * as ObjectKey from "./object-key.ts";
import { SignParts } from "./upload.schema.ts";
import * as UploadRow from "./upload-row.ts";
import type { Info, PresignedPost, SignedParts } from "./upload-state.schema.ts";

// What can be done with an upload whose bytes have not come. The parts of a file go to the bucket with addresses that are
// signed when their turn comes; only this code lists, completes and aborts, so that nothing is completed that has another size
// than was declared: docs/adr/0030-uploads-in-parts.md. The API loads this file on demand: most of its requests need nothing of it.

/** A part has as long to begin. A client whose address has expired asks for another one. */
const PRESIGNED_PART_SECONDS = 60 * 60;

/**
 * Addresses of parts of a pending upload of the signed-in user. Each takes exactly the bytes of its part; a part may be sent
 * again, and the last one that arrives counts.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 * @throws upload.received
 * @throws upload.other_method if the upload is sent as a form
 */
export const sign = fn(
  z.extend(SignParts, { id: Id.ImageId }),
  async ({ id, numbers }): Promise<SignedParts> => {
    const row = await UploadRow.getOwnRow(id);
    if (row.state !== "pending") throw UploadRow.received(id);
    const { id: uploadId } = multipartOf(row);
    const { partCount } = UploadRow.partition(row);
    const tooGreat = numbers.findIndex((number) => number > partCount);
    if (tooGreat >= 0) throw noSuchPart(tooGreat, partCount);
    const now = Clock.nowSeconds();
    const expiresAt = Math.min(now + PRESIGNED_PART_SECONDS, row.expiresAt ?? Infinity);
    const Multipart = await multipart();
    const parts = numbers.map(async (number) => {
      const bytes = bytesOf(row, number);
      const key = ObjectKey.upload(id);
      const url = await Multipart.signPart({
        key,
        uploadId,
        number,
        bytes,
        seconds: expiresAt - now,
      });
      return { number, bytes, url };
    });
    return { parts: await Promise.all(parts), ...UploadRow.expiry(expiresAt) };
  },
);

/**
 * Makes the parts the file, if the bucket has all of them. It may be repeated: an upload that was completed before is
 * returned as it is now.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 * @throws upload.other_method if the upload is sent as a form
 * @throws upload.incomplete if parts are missing; nothing is changed then
 * @throws upload.gone if the bucket does not have the parts any more
 */
export const complete = fn(Id.ImageId, async (id): Promise<Info> => {
  const row = await UploadRow.getOwnRow(id);
  if (row.state !== "pending") return UploadRow.toInfo(row);
  const { id: uploadId } = multipartOf(row);
  const key = ObjectKey.upload(id);
  const Multipart = await multipart();
  const parts = await Multipart.listParts(key, uploadId);
  if (parts) {
    assertComplete(row, parts);
    const result = await Multipart.complete(key, uploadId, parts);
    if (result === "completed") return receivedInfo(row);
    if (result === "changed")
      throw incomplete(`A part of ${id} was replaced at this moment; complete it again`);
  }
  // it was completed before: the answer was lost, or another request did it
  if (await Bucket.head(key)) return receivedInfo(row);
  // ingest has removed the file already
  const now = await UploadRow.getOwnRow(id);
  if (now.state !== "pending") return UploadRow.toInfo(now);
  throw gone(id);
});

/**
 * A new presigned POST for a pending upload of the signed-in user, whose first one may have expired.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 * @throws upload.received
 * @throws upload.other_method if it is sent in parts
 */
export const renewForm = fn(Id.ImageId, async (id): Promise<PresignedPost> => {
  const row = await UploadRow.getOwnRow(id);
  if (row.state !== "pending") throw UploadRow.received(id);
  if (row.upload?.multipart) throw UploadRow.otherMethod(id, "parts");
  return UploadRow.presignForm(row);
});

/**
 * Ends an upload of the signed-in user whose bytes have not come: its image is deleted, its name and its share of the limits
 * are free, and the parts that are stored are removed. It may be repeated.
 *
 * @throws actor.unauthenticated
 * @throws upload.not_found
 * @throws upload.received if ingest has the bytes already: then the image can be deleted
 */
export const abort = fn(Id.ImageId, async (id): Promise<void> => {
  const { id: userId } = Actor.requireUser();
  const row = await Image.findRow(id);
  if (row?.ownerId === userId && row.state !== "pending") throw UploadRow.received(id);
  const begun = row?.ownerId === userId ? row.upload?.multipart : undefined;
  // the tombstone does not know the parts any more
  if (begun) await (await multipart()).abort(ObjectKey.upload(id), begun.id);
  if (!(await Image.removeOf(id, userId))) throw UploadRow.notFound(id);
});

/** All bytes that were declared, each part with its own. */
function assertComplete(row: ImageRow.Row, parts: StoredPart[]): void {
  const { partCount } = UploadRow.partition(row);
  const stored = new Map(parts.map(({ number, bytes }) => [number, bytes]));
  const numbers = Array.from({ length: partCount }, (_, index) => index + 1);
  const missing = numbers.filter((number) => stored.get(number) !== bytesOf(row, number));
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (missing.length === 0 && total === row.bytes) return;
  const which = missing.length > 0 ? `; missing are the parts ${missing.join(", ")}` : "";
  throw incomplete(`The bucket has ${total} of the ${row.bytes} bytes of ${row.id}${which}`);
}

function bytesOf(row: ImageRow.Row, number: number): number {
  const { partBytes } = UploadRow.partition(row);
  return Math.min(partBytes, row.bytes - (number - 1) * partBytes);
}

/** The state of a pending upload, with what the bucket has of it. */
export async function toPendingInfo(row: ImageRow.Row): Promise<Info> {
  const key = ObjectKey.upload(row.id);
  const { multipart: begun } = row.upload ?? {};
  const parts = begun && (await (await multipart()).listParts(key, begun.id));
  const isReceived = parts ? false : (await Bucket.head(key)) !== undefined;
  const form = { ...UploadRow.toInfo(row), method: "form" as const, received: isReceived };
  return begun
    ? { ...form, method: "parts", ...UploadRow.partition(row), parts: parts ?? [] }
    : form;
}

const receivedInfo = (row: ImageRow.Row): Info => ({
  ...UploadRow.toInfo(row),
  method: "parts",
  received: true,
});

function multipartOf({ id, upload }: ImageRow.Row) {
  if (!upload?.multipart) throw UploadRow.otherMethod(id, "form");
  return upload.multipart;
}

const incomplete = (detail: string) => new VisibleError("conflict", "upload.incomplete", detail);

const gone = (id: string) =>
  new VisibleError(
    "gone",
    "upload.gone",
    `The bucket does not have the parts of ${id} any more; create another upload`,
  );

const noSuchPart = (index: number, partCount: number) =>
  new VisibleError("invalid", "input.invalid", `The upload has ${partCount} parts`, {
    issues: [{ pointer: `/numbers/${index}`, detail: `must be at most ${partCount}` }],
  });

const multipart = () => import("./multipart.ts");
