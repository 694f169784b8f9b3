import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";

export { ImageId };

/** What a picture may be called in public. No slash, no space, nothing that a path or a shell could take for something else. */
export const Name = z
  .string()
  .check(
    z.regex(
      /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
      "a name is 1 to 128 letters, digits, dots, dashes and underscores, starts with a letter or a digit and has no two dots in a row",
    ),
  );

const line = (characters: number) =>
  z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(characters),
      z.regex(/^\P{Cc}*$/u, "control characters are not allowed"),
    );

export const Title = line(200);
export const Alt = line(1000);

export const Tag = z
  .string()
  .check(
    z.toLowerCase(),
    z.regex(
      /^[\p{L}\p{N}][\p{L}\p{N}\p{M}_-]{0,49}$/u,
      "a tag is 1 to 50 letters, digits, dashes and underscores",
    ),
  );
export const Tags = z.array(Tag).check(z.maxLength(20));

export const State = z.enum(["pending", "processing", "ready", "rejected", "deleted"]);
/** `private`: only its owner sees it, and whoever was given a signed address of it. */
export const Visibility = z.enum(["public", "private"]);

/** Why a picture was not accepted: a stable code and a sentence. */
export type Reason = z.infer<typeof Reason>;
export const Reason = z.object({ code: z.string(), detail: z.string() });

/** A picture as its readers see it. What ingest finds out is there from `ready` on. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({
    id: ImageId,
    ownerId: z.string(),
    state: State,
    visibility: Visibility,
    name: z.optional(Name),
    title: z.optional(Title),
    alt: z.optional(Alt),
    tags: Tags,
    /** Content type: as declared until ingest has looked, then what it is. */
    type: z.string(),
    bytes: z.int().check(z.nonnegative()),
    /** Of the picture as a person sees it: orientation is applied. */
    width: z.optional(z.int().check(z.positive())),
    height: z.optional(z.int().check(z.positive())),
    /** First 12 hex digits of the original's SHA-256. */
    rev: z.optional(z.string().check(z.regex(/^[0-9a-f]{12}$/))),
    /** Dominant colour, `#rrggbb`. */
    color: z.optional(z.string().check(z.regex(/^#[0-9a-f]{6}$/))),
    /** ThumbHash in base64: about 25 bytes that draw a placeholder. */
    thumbhash: z.optional(z.string()),
    likes: z.int().check(z.nonnegative()),
    reason: z.optional(Reason),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    /** Counts the changes of everything above except `likes`: what `If-Match` compares. */
    version: z.int().check(z.positive()),
  })
  .register(z.globalRegistry, { id: "Image" });

export type Page = z.infer<typeof Page>;
export const Page = z
  .object({ items: z.array(Info), next: z.nullable(z.string()) })
  .register(z.globalRegistry, { id: "ImagePage" });

export const Limit = z._default(z.int().check(z.minimum(1), z.maximum(100)), 24);
export const Cursor = z.string().check(z.maxLength(512));

export const List = z.strictObject({
  limit: z.optional(Limit),
  cursor: z.optional(Cursor),
  tag: z.optional(Tag),
});
export const ListMine = z.strictObject({ limit: z.optional(Limit), cursor: z.optional(Cursor) });

/** `null` takes a title or a text away. Without `version` any version is changed. */
export const Changes = z.strictObject({
  visibility: z.optional(Visibility),
  title: z.optional(z.nullable(Title)),
  alt: z.optional(z.nullable(Alt)),
  tags: z.optional(Tags),
});
export const Update = z.extend(Changes, {
  id: ImageId,
  version: z.optional(z.int().check(z.positive())),
});

/** A pre-made rendition; object-key.ts says where it is. */
export type Rung = z.infer<typeof Rung>;
export const Rung = z.object({
  width: z.int().check(z.positive()),
  height: z.int().check(z.positive()),
  /** `image/png` where pixels are see-through, else `image/jpeg`. */
  type: z.enum(["image/jpeg", "image/png"]),
  bytes: z.int().check(z.positive()),
});
