import { ImageId } from "@balde/core/id.schema";
import * as Image from "@balde/core/image.schema";
import * as z from "zod/mini";

// Schemas of responses that no code of the API parses, so that they exist only here.

const count = z.int().check(z.nonnegative());

export const Health = z.object({ status: z.literal("ok") });
export const PendingUpload = z.object({ id: ImageId, state: z.literal("pending") });
export const DeletedImage = z.object({ id: ImageId, state: z.literal("deleted") });

export const DeletingUser = z.object({ id: z.string(), state: z.literal("deleting") });

export const CurrentUser = z
  .object({ id: z.string(), name: z.optional(z.string()), email: z.optional(z.string()) })
  .register(z.globalRegistry, { id: "Person" });

export const SignedUrls = z.object({ urls: z.array(z.url()), expiresAt: z.iso.datetime() });

const QueueDepth = z.object({ waiting: count, inFlight: count, delayed: count });

export const AdminState = z
  .object({
    queues: z.object({
      ingest: QueueDepth,
      ingestDead: QueueDepth,
      sync: QueueDepth,
      outboxDead: QueueDepth,
      countDead: QueueDepth,
    }),
    images: z.record(Image.State, count),
    next: z.nullable(z.string()),
  })
  .register(z.globalRegistry, { id: "State" });

export const Reprocessed = z.object({ sent: count, next: z.nullable(z.string()) });

export const Redriven = z.object({
  task: z.enum(["started", "running", "none"]),
  messages: count,
});

/** With `f=json`. */
export const PictureFacts = z
  .object({
    id: ImageId,
    rev: z.string(),
    type: z.string().check(z.describe("Of the original, as are the size and the bytes.")),
    bytes: count,
    width: count,
    height: count,
    frames: z.int().check(z.describe("More than one is an animation.")),
    hasAlpha: z.boolean(),
    color: Image.Info.shape.color,
    thumbhash: Image.Info.shape.thumbhash,
    focal: z.optional(z.object({ x: z.number(), y: z.number() })),
    credit: z.optional(
      z.object({ artist: z.optional(z.string()), copyright: z.optional(z.string()) }),
    ),
  })
  .register(z.globalRegistry, { id: "PictureFacts" });

/** The body of every error: https://www.rfc-editor.org/rfc/rfc9457 */
export const Problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.optional(z.int()),
    detail: z.optional(z.string()),
    code: z.string().check(z.describe("Stable: programs compare it.")),
    requestId: z.string().check(z.describe("Quote it when you report an error.")),
    errors: z.optional(
      z.array(
        z.object({
          detail: z.string(),
          parameter: z.optional(
            z.string().check(z.describe("The name of a parameter of the path or the query.")),
          ),
          pointer: z.optional(z.string().check(z.describe("A JSON pointer into the body."))),
          value: z.optional(z.string()),
        }),
      ),
    ),
    quota: z.optional(
      z
        .object({ used: count, limit: count, remaining: count })
        .check(z.describe("Of a quota that is reached.")),
    ),
    suggestion: z.optional(
      z.string().check(z.describe("Of a name that is taken: one that is free at the moment.")),
    ),
  })
  .register(z.globalRegistry, { id: "Problem" });
