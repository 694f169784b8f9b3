import * as z from "zod/mini";

import { Alt, FileName, Name, Tags, Title, Visibility } from "./image.schema.ts";

/** The content types of accepted images. A client may declare any type of an image, or none: the bytes decide. */
export const CONTENT_TYPES = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/avif-sequence",
  "image/heic",
  "image/heic-sequence",
  "image/heif",
  "image/heif-sequence",
  "image/gif",
  "image/tiff",
  "image/svg+xml",
] as const;

/** What one presigned form takes. A larger upload is sent in parts, so that a lost connection costs one part. */
export const MAX_FORM_BYTES = 16 * 1024 * 1024;

/** The largest upload. */
export const MAX_BYTES = 500 * 1024 * 1024;

/** The size of every part but the last. S3 takes 5 MiB to 5 GiB, and 10,000 parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PART_BYTES = 8 * 1024 * 1024;

/** How the bytes come to the bucket: as one presigned form, or as parts that are signed one by one. */
export type Method = z.infer<typeof Method>;
export const Method = z.enum(["form", "parts"]);

const description = {
  name: z.optional(Name),
  /** The content type as the client knows it. Any type of an image, in any form, or none: the bytes decide. */
  type: z.optional(z.string().check(z.maxLength(255))),
  visibility: z.optional(Visibility),
  /** The name of the file on the owner's device. Any text is accepted: of a path only what follows the last slash is kept. */
  fileName: z.optional(FileName),
  title: z.optional(Title),
  alt: z.optional(Alt),
  tags: z.optional(Tags),
};

/** The description of an image whose bytes come with the same request. */
export const Receive = z.strictObject(description);

/** The description of an image whose bytes are sent to the bucket later. */
export const Create = z.strictObject({
  ...description,
  bytes: z.int().check(z.positive()),
  /** A form up to 16 MiB, parts above, if not given. */
  method: z.optional(Method),
  /** In hex digits. S3 refuses bytes with another hash. Only for a form. */
  sha256: z.optional(
    z.string().check(z.regex(/^[0-9a-fA-F]{64}$/, "a SHA-256 is 64 hexadecimal digits")),
  ),
});

/** The parts to sign. */
export const SignParts = z.strictObject({
  numbers: z.array(z.int().check(z.positive())).check(z.minLength(1), z.maxLength(100)),
});
