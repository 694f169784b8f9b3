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

/** Content types that may be sent. What the bytes are is decided by ingest. */
export const types = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/gif",
  "image/tiff",
  "image/svg+xml",
] as const;

/** What one upload may carry; ingest holds it in memory beside its decoded pixels. */
export const MAX_BYTES = 16 * 1024 * 1024;

const about = {
  name: z.optional(Name),
  type: z.string().check(z.maxLength(255)),
  visibility: z.optional(Visibility),
  title: z.optional(Title),
  alt: z.optional(Alt),
  tags: z.optional(Tags),
};

/** What somebody says about a picture whose bytes come with the same request. */
export const Receive = z.strictObject(about);

export const Create = z.strictObject({
  ...about,
  bytes: z.int().check(z.positive()),
  /** Hex. S3 refuses other bytes. */
  sha256: z.optional(
    z.string().check(z.regex(/^[0-9a-fA-F]{64}$/, "a SHA-256 is 64 hexadecimal digits")),
  ),
});

/** A form for the bucket: every field goes into the POST as it is, the file last. */
export type Form = z.infer<typeof Form>;
export const Form = z
  .object({
    url: z.string(),
    fields: z.record(z.string(), z.string()),
    expiresAt: z.iso.datetime(),
  })
  .register(z.globalRegistry, { id: "UploadForm" });

export type Created = z.infer<typeof Created>;
export const Created = z
  .object({ image: Image, upload: Form })
  .register(z.globalRegistry, { id: "CreatedUpload" });

/** How far an upload is; `state` is the image's. */
export type Info = z.infer<typeof Info>;
export const Info = z
  .object({
    id: ImageId,
    state: State,
    type: z.string(),
    bytes: z.int(),
    reason: z.optional(Reason),
    createdAt: z.iso.datetime(),
    /** While pending: when the form and the reserved name are given up. */
    expiresAt: z.optional(z.iso.datetime()),
  })
  .register(z.globalRegistry, { id: "Upload" });
