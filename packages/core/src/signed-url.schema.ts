import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { MAX_SECONDS } from "./signature.schema.ts";

/** How long an address is good when nobody says: a visit. */
export const SECONDS = 3600;

/** At once: a page of pictures in a handful of sizes. An answer of the API has 6 MB, this is 30 KB. */
export const MOST = 100;

export const Seconds = z
  .int()
  .check(
    z.minimum(1, "an address is good for at least a second"),
    z.maximum(MAX_SECONDS, `an address is good for at most a week, ${MAX_SECONDS} seconds`),
  );

/** What is to be delivered: a preset, and the query of the delivery grammar as text. */
export type Wish = z.infer<typeof Wish>;
export const Wish = z.strictObject({
  preset: z.optional(z.string()),
  query: z.record(z.string(), z.optional(z.string())),
});

export const Create = z.strictObject({
  id: ImageId,
  /** The host that is asked, here and by whoever gets the address. */
  host: z.string(),
  wishes: z.array(Wish).check(z.minLength(1), z.maxLength(MOST)),
  seconds: z.optional(Seconds),
});

/** Paths with their queries, in the order of the wishes. */
export type Created = { paths: string[]; expiresAt: string };
