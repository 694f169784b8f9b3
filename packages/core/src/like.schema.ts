import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { Cursor, Limit } from "./image.schema.ts";

/** One user's like of one image. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({ imageId: ImageId, userId: z.string(), likedAt: z.iso.datetime() })
  .register(z.globalRegistry, { id: "Like" });

export type Page = z.infer<typeof Page>;
export const Page = z
  .object({ items: z.array(Info), next: z.nullable(z.string()) })
  .register(z.globalRegistry, { id: "LikePage" });

/** The result of a click: whether the user likes the image now, and the number of likes with this click. */
export type Click = z.infer<typeof Click>;
export const Click = z
  .object({ liked: z.boolean(), likes: z.int().check(z.nonnegative()) })
  .register(z.globalRegistry, { id: "LikeClick" });

export const List = z.strictObject({
  id: ImageId,
  limit: z.optional(Limit),
  cursor: z.optional(Cursor),
});

/** With `ids`: which of these images the user likes, in one page. Without: all that the user likes, newest first. */
export const ListMine = z.strictObject({
  ids: z.optional(z.array(ImageId).check(z.minLength(1), z.maxLength(100))),
  limit: z.optional(Limit),
  cursor: z.optional(Cursor),
});
