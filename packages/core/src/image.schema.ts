import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { FileName, MAX_FILE_NAME, nfc } from "./text.schema.ts";

export { FileName, ImageId };

/** The public name of an image. No slashes, spaces or other characters with a meaning in a path or a shell. */
export const Name = z
  .string()
  .check(
    z.regex(
      /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
      "a name is 1 to 128 letters, digits, dots, dashes and underscores, starts with a letter or a digit and has no two dots in a row",
    ),
  );

const singleLine = (maxCharacters: number) =>
  z.string().check(
    nfc(maxCharacters),
    z.minLength(1),
    z.maxLength(maxCharacters),
    // half of a surrogate pair has no UTF-8, so it can be neither stored nor sent
    z.regex(/^[^\p{Cc}\p{Cs}]*$/u, "control characters and unpaired surrogates are not allowed"),
  );

export const Title = singleLine(200);
export const Alt = singleLine(1000);

/** Two UTF-16 units for each of its characters. */
const MAX_TAG_LENGTH = 100;
export const Tag = z.string().check(
  z.toLowerCase(),
  // after it: a letter in lower case may have a composed form that the capital has not
  nfc(MAX_TAG_LENGTH),
  z.regex(
    /^[\p{L}\p{N}][\p{L}\p{N}\p{M}_-]{0,49}$/u,
    "a tag is 1 to 50 letters, digits, dashes and underscores",
  ),
);
/** Each tag once, also of those that were spelt differently. */
export const Tags = z.array(Tag).check(
  z.overwrite((tags) => [...new Set(tags)]),
  z.maxLength(20),
);

export const State = z.enum(["pending", "processing", "ready", "rejected", "deleted"]);
/** `private`: only the owner sees the image; others need a signed URL. */
export const Visibility = z.enum(["public", "private"]);

/** Why an upload was rejected: a stable code and a sentence. */
export type Reason = z.infer<typeof Reason>;
export const Reason = z.object({ code: z.string(), detail: z.string() });

/** An image as clients see it. What ingest finds out is set from `ready` on. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({
    id: ImageId,
    ownerId: z.string(),
    state: State,
    visibility: Visibility,
    name: z.optional(Name),
    /** The name of the uploaded file, without its folders: what a page shows as long as there is no title, and what `dl=1` calls a download. Not unique. */
    fileName: z.optional(z.string().check(z.maxLength(MAX_FILE_NAME))),
    title: z.optional(Title),
    alt: z.optional(Alt),
    tags: Tags,
    /** Content type: as the client declared it until the image is `ready`, then as ingest detected it. */
    type: z.string(),
    bytes: z.int().check(z.nonnegative()),
    /** In pixels, after the EXIF orientation is applied. */
    width: z.optional(z.int().check(z.positive())),
    height: z.optional(z.int().check(z.positive())),
    /** The first 12 hex digits of the SHA-256 of the original. */
    rev: z.optional(z.string().check(z.regex(/^[0-9a-f]{12}$/))),
    /** The dominant colour, `#rrggbb`. */
    color: z.optional(z.string().check(z.regex(/^#[0-9a-f]{6}$/))),
    /** A blurred placeholder in about 25 bytes, as base64: https://evanw.github.io/thumbhash/ */
    thumbhash: z.optional(z.string()),
    likes: z.int().check(z.nonnegative()),
    reason: z.optional(Reason),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    /** The number of changes of the image, likes not included. The `ETag` is made of it, so `If-Match` compares it. */
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

/** What the owner may change: a key for each field. `null` clears a file name, a title or an alternative text. */
export const Changes = z.strictObject({
  visibility: z.optional(Visibility),
  fileName: z.optional(z.nullable(FileName)),
  title: z.optional(z.nullable(Title)),
  alt: z.optional(z.nullable(Alt)),
  tags: z.optional(Tags),
});
/** The changes of one image. Without `version` any version is changed. */
export const Update = z.extend(Changes, {
  id: ImageId,
  version: z.optional(z.int().check(z.positive())),
});

/** A rung of the ladder: a smaller copy that ingest makes in advance. object-key.ts has its key in the bucket. */
export type Rung = z.infer<typeof Rung>;
export const Rung = z.object({
  width: z.int().check(z.positive()),
  height: z.int().check(z.positive()),
  /** `image/png` if any pixel is transparent, else `image/jpeg`. */
  type: z.enum(["image/jpeg", "image/png"]),
  bytes: z.int().check(z.positive()),
});
