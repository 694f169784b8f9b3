import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { Cursor, Limit } from "./image.schema.ts";

/** That one person likes one image. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({ imageId: ImageId, userId: z.string(), likedAt: z.iso.datetime() })
  .register(z.globalRegistry, { id: "Like" });

export type Page = z.infer<typeof Page>;
export const Page = z
  .object({ items: z.array(Info), next: z.nullable(z.string()) })
  .register(z.globalRegistry, { id: "LikePage" });

/** What a click answers: the number includes it. */
export type Click = z.infer<typeof Click>;
export const Click = z
  .object({ liked: z.boolean(), likes: z.int().check(z.nonnegative()) })
  .register(z.globalRegistry, { id: "LikeClick" });

export const List = z.strictObject({
  id: ImageId,
  limit: z.optional(Limit),
  cursor: z.optional(Cursor),
});

/** With `ids`: which of these the person likes, in one answer. Without: everything, newest first. */
export const Mine = z.strictObject({
  ids: z.optional(z.array(ImageId).check(z.minLength(1), z.maxLength(100))),
  limit: z.optional(Limit),
  cursor: z.optional(Cursor),
});
