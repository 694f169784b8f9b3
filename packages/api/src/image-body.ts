import * as ContentType from "@balde/core/content-type";
import { VisibleError } from "@balde/core/error";
import { mebibytes } from "@balde/core/text.schema";
import * as Upload from "@balde/core/upload.schema";
import type { Context } from "hono";

import type { Env } from "./http.ts";

/**
 * The image in the body of the request, with its declared type. Its first bytes were looked at; ingest checks the rest.
 * @throws body.not_picture | body.empty | body.too_large | image.not_a_picture
 */
export async function readImageBody(c: Context<Env>) {
  const declared = c.req.header("content-type");
  const type = ContentType.parse(declared);
  // the gateway passes a body without a type as text, which changes the bytes
  if (!declared?.trim() || type === undefined) throw notImageError(declared);
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (body.length === 0) throw emptyError();
  if (body.length > MAX_BYTES) throw tooLargeError(body.length);
  // on demand: no other request needs it
  const { sniff, isUnfinishedPrologue } = await import("@balde/imaging/sniff");
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, SNIFFED_BYTES));
  // an SVG may begin with a long licence: ingest reads on
  if (!sniff(start) && !isUnfinishedPrologue(start)) throw notPictureError();
  return { type, body };
}

/** What `sniff` reads at most. */
const SNIFFED_BYTES = 4096;

/**
 * A Lambda event has at most 6 MiB (6,291,456 bytes); the image in it is base64 (4 bytes for 3) and the headers need room.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_BYTES = 4_500_000;

const notImageError = (type: string | undefined) =>
  new VisibleError(
    "unsupported",
    "body.not_picture",
    `The body must be an image, with a Content-Type of image/… or application/octet-stream; it has ${type?.trim() || "none"}`,
  );

const notPictureError = () =>
  new VisibleError(
    "unsupported",
    "image.not_a_picture",
    `The first bytes of the body are of no known image format; images may be ${Upload.CONTENT_TYPES.join(", ")}`,
  );

const emptyError = () =>
  new VisibleError("invalid", "body.empty", "The body is empty; it must be the image");

const tooLargeError = (bytes: number) =>
  new VisibleError(
    "too_large",
    "body.too_large",
    `The body has ${mebibytes(bytes)} (${bytes} bytes); one request takes at most ${mebibytes(MAX_BYTES)} (${MAX_BYTES} bytes). Send larger images, up to 500 MiB, with POST /v1/uploads`,
  );
