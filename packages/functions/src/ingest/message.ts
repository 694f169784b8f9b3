import { ImageId } from "@balde/core/id.schema";
import * as z from "zod/mini";

/** An object in a record of S3's event. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export type UploadedObject = z.infer<typeof UploadedObject>;
const UploadedObject = z.object({
  /** Decoded; in the event it is encoded as in a form, where `+` is a space. */
  key: z.pipe(
    z.string(),
    z.transform((key) => decodeURIComponent(key.replaceAll("+", " "))),
  ),
  size: z.int(),
  eTag: z.string(),
  versionId: z.optional(z.string()),
  sequencer: z.string(),
});

/** A record of S3's event. */
export type S3Record = z.infer<typeof S3Record>;
const S3Record = z.object({
  eventName: z.string(),
  eventTime: z.iso.datetime(),
  s3: z.object({ object: UploadedObject }),
});

/** How often the message has waited for its owner's share of ingest (postpone.ts). */
const postponed = z.optional(z.int());

const S3Event = z.object({ Records: z.array(S3Record), postponed });

/** S3 sends one when the notification is configured. */
const S3TestEvent = z.object({ Event: z.literal("s3:TestEvent") });

/** Commands: of the table's stream (packages/functions/src/outbox), of operators (packages/core/src/admin.ts) and of EventBridge. */
const Command = z.union([
  z.object({
    kind: z.literal("sync"),
    imageId: ImageId,
    /** The name that the image had, if its row is gone. */
    name: z.optional(z.string()),
    /** True when every process that may have read the row before its last change has ended. */
    isLast: z.optional(z.boolean()),
    postponed,
  }),
  z.object({ kind: z.literal("reprocess"), imageId: ImageId, postponed }),
  z.object({ kind: z.literal("eraseUser"), userId: z.string() }),
  /** Of infra/user-deletion.ts: the user pool has no such user any more. */
  z.object({ kind: z.literal("deleteUser"), userId: z.string().check(z.minLength(1)) }),
]);

/** The body of a message in the queues `Ingest` and `Sync`. */
export type Message = z.infer<typeof Message>;
export const Message = z.union([S3Event, Command, S3TestEvent]);
