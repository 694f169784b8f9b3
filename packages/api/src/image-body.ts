import { VisibleError } from "@balde/core/error";
import type { Context } from "hono";

import type { Env } from "./http.ts";

/**
 * The image in the body of the request, unchecked bytes with their declared type; ingest checks what they are.
 * @throws body.not_picture | body.empty | body.too_large
 */
export async function readImageBody(c: Context<Env>) {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (!type?.startsWith("image/")) throw notImageError(type);
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (body.length === 0) throw emptyError();
  if (body.length > MAX_BYTES) throw tooLargeError(body.length);
  return { type, body };
}

/**
 * A Lambda event has at most 6 MB (6,291,456 bytes); the image in it is base64 (4 bytes for 3) and the headers need room.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_BYTES = 4_500_000;

const notImageError = (type: string | undefined) =>
  new VisibleError(
    "unsupported",
    "body.not_picture",
    `The body must be an image with a Content-Type of image/…; it has ${type ?? "none"}`,
  );

const emptyError = () =>
  new VisibleError("invalid", "body.empty", "The body is empty; it must be the image");

const tooLargeError = (bytes: number) =>
  new VisibleError(
    "too_large",
    "body.too_large",
    `The body has ${bytes} bytes; one request may have at most ${MAX_BYTES}. Use POST /v1/uploads for larger images`,
  );
