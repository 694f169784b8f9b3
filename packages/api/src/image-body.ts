import { VisibleError } from "@balde/core/error";
import type { Context } from "hono";

import type { Env } from "./http.ts";

/** A picture that is the body of the request, as it came: what it really is, ingest finds out. */
export async function picture(c: Context<Env>) {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (!type?.startsWith("image/")) throw notPicture(type);
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (body.length === 0) throw empty();
  if (body.length > MAX_BYTES) throw tooLarge(body.length);
  return { type, body };
}

/**
 * Lambda takes 6 MB of event (6,291,456 bytes), the picture in it is base64 (4 bytes for 3) and the headers need room.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_BYTES = 4_500_000;

const notPicture = (type: string | undefined) =>
  new VisibleError(
    "unsupported",
    "body.not_picture",
    `The body must be a picture with a Content-Type of image/…, this is ${type ?? "without one"}`,
  );

const empty = () => new VisibleError("invalid", "body.empty", "The body must be the picture");

const tooLarge = (bytes: number) =>
  new VisibleError(
    "too_large",
    "body.too_large",
    `${bytes} bytes are more than the ${MAX_BYTES} that one request carries; POST /v1/uploads takes larger pictures`,
  );
