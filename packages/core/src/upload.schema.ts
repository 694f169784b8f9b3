import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import {
  Alt,
  Info as Image,
  Name,
  Reason,
  State,
  Tags,
  Title,
  Visibility,
} from "./image.schema.ts";

/** The content types that an upload may declare. Ingest decides by the bytes. */
export const CONTENT_TYPES = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/gif",
  "image/tiff",
  "image/svg+xml",
] as const;

/** The limit of one upload: ingest holds it in memory together with its decoded pixels. */
export const MAX_BYTES = 16 * 1024 * 1024;

const description = {
  name: z.optional(Name),
  type: z.string().check(z.maxLength(255)),
  visibility: z.optional(Visibility),
  title: z.optional(Title),
  alt: z.optional(Alt),
  tags: z.optional(Tags),
};

/** The description of an image whose bytes come with the same request. */
export const Receive = z.strictObject(description);

/** The description of an image whose bytes are posted to the bucket later. */
export const Create = z.strictObject({
  ...description,
  bytes: z.int().check(z.positive()),
  /** In hex digits. S3 refuses bytes with another hash. */
  sha256: z.optional(
    z.string().check(z.regex(/^[0-9a-fA-F]{64}$/, "a SHA-256 is 64 hexadecimal digits")),
  ),
});

/** A presigned POST to the bucket: a multipart form with every field as it is, and the file as the last field. */
export type PresignedPost = z.infer<typeof PresignedPost>;
export const PresignedPost = z
  .object({
    url: z.string(),
    fields: z.record(z.string(), z.string()),
    expiresAt: z.iso.datetime(),
  })
  .register(z.globalRegistry, { id: "UploadForm" });

export type Created = z.infer<typeof Created>;
export const Created = z
  .object({ image: Image, upload: PresignedPost })
  .register(z.globalRegistry, { id: "CreatedUpload" });

/** The state of an upload, which is the state of its image. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({
    id: ImageId,
    state: State,
    type: z.string(),
    bytes: z.int(),
    reason: z.optional(Reason),
    createdAt: z.iso.datetime(),
    /** While pending: when the upload and its reserved name expire. */
    expiresAt: z.optional(z.iso.datetime()),
  })
  .register(z.globalRegistry, { id: "Upload" });
