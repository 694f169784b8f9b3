import * as z from "zod/mini";

/** What a user can use up. `signedUrls` is per day in UTC. */
export type Quota = z.infer<typeof Quota>;
export const Quota = z.enum(["images", "bytes", "openUploads", "reservedNames", "signedUrls"]);

const count = z.int().check(z.nonnegative());

/** How much of a quota a user has used, how much there is, and how much of it remains: 0 also if the limit was lowered since. */
export type Amount = z.infer<typeof Amount>;
export const Amount = z.object({ used: count, limit: count, remaining: count });

/** What the signed-in user has used of each quota. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({
    /** Images, and uploads that have not come yet. Rejected images do not count. */
    images: Amount,
    /** Of the same images: of their originals, or as declared until they are ready. */
    bytes: Amount,
    /** Uploads that have not come yet. */
    openUploads: Amount,
    /** Names of uploads that have not come yet. */
    reservedNames: Amount,
    /** Signed URLs of today, in UTC. */
    signedUrls: Amount,
  })
  .register(z.globalRegistry, { id: "Usage" });
