import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { Info as Image, Reason, State } from "./image.schema.ts";
import { Method } from "./upload.schema.ts";

// What the API says of uploads. It parses none of it, so that it needs the types only.

/** A presigned POST to the bucket: a multipart form with every field as it is, and the file as the last field. */
export type PresignedPost = z.infer<typeof PresignedPost>;
export const PresignedPost = z
  .object({
    method: z.literal("form"),
    url: z.string(),
    fields: z.record(z.string(), z.string()),
    expiresAt: z.iso.datetime(),
  })
  .register(z.globalRegistry, { id: "UploadForm" });

const partition = {
  /** The size of every part but the last, which has the rest. */
  partBytes: z.int(),
  /** Parts are numbered from 1 to this. */
  partCount: z.int(),
};

/** An upload in parts. `expiresAt` is the end of the whole upload. */
export type PartUpload = z.infer<typeof PartUpload>;
export const PartUpload = z
  .object({ method: z.literal("parts"), ...partition, expiresAt: z.iso.datetime() })
  .register(z.globalRegistry, { id: "PartUpload" });

export type Created = z.infer<typeof Created>;
export const Created = z
  .object({ image: Image, upload: z.discriminatedUnion("method", [PresignedPost, PartUpload]) })
  .register(z.globalRegistry, { id: "CreatedUpload" });

/** The addresses of parts: PUT exactly `bytes` bytes to each before `expiresAt`, without a Content-Type. */
export type SignedParts = z.infer<typeof SignedParts>;
export const SignedParts = z
  .object({
    parts: z.array(z.object({ number: z.int(), bytes: z.int(), url: z.string() })),
    expiresAt: z.iso.datetime(),
  })
  .register(z.globalRegistry, { id: "SignedParts" });

const StoredPart = z.object({ number: z.int(), bytes: z.int(), eTag: z.string() });

/** The state of an upload, which is the state of its image, and while it is pending what the bucket has of it. */
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
    method: z.optional(Method),
    /** While pending: whether the bucket has the whole file, so that ingest will find it. */
    received: z.optional(z.boolean()),
    partBytes: z.optional(partition.partBytes),
    partCount: z.optional(partition.partCount),
    /** The parts that are stored. */
    parts: z.optional(z.array(StoredPart)),
  })
  .register(z.globalRegistry, { id: "Upload" });
