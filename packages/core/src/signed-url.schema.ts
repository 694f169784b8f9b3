import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { MAX_LIFETIME_SECONDS } from "./signature.schema.ts";

/** How long a signed URL is valid if the request does not say: about as long as a visit. */
export const DEFAULT_LIFETIME_SECONDS = 3600;

/** In one request: a page of images in a few sizes each. The response is then 30 KB; Lambda allows 6 MB. */
export const MAX_URLS = 100;

export const LifetimeSeconds = z
  .int()
  .check(
    z.minimum(1, "a signed URL is valid for at least 1 second"),
    z.maximum(
      MAX_LIFETIME_SECONDS,
      `a signed URL is valid for at most a week, ${MAX_LIFETIME_SECONDS} seconds`,
    ),
  );

/** What is to be delivered: a preset, and the delivery query as text. */
export type UrlRequest = z.infer<typeof UrlRequest>;
export const UrlRequest = z.strictObject({
  preset: z.optional(z.string()),
  query: z.record(z.string(), z.optional(z.string())),
});

export const Create = z.strictObject({
  id: ImageId,
  /** The host that this request was sent to; the URLs are valid on it alone. */
  host: z.string(),
  urls: z.array(UrlRequest).check(z.minLength(1), z.maxLength(MAX_URLS)),
  /** How long the URLs are valid. */
  seconds: z.optional(LifetimeSeconds),
});

/** Paths with their queries, in the order of the requested URLs. */
export type Created = { paths: string[]; expiresAt: string };
