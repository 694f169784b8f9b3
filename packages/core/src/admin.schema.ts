import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { Cursor, type State } from "./image.schema.ts";

const UserId = z.string().check(z.minLength(1), z.maxLength(128));

/** Which images to prepare again: one, all of one owner, or all. `cursor` is the `next` of the previous result. */
export const Reprocess = z
  .strictObject({
    imageId: z.optional(ImageId),
    ownerId: z.optional(UserId),
    everything: z.optional(z.literal(true)),
    cursor: z.optional(Cursor),
  })
  .check(
    z.refine(
      ({ imageId, ownerId, everything }) =>
        [imageId, ownerId, everything].filter((choice) => choice !== undefined).length === 1,
      "give exactly one of imageId, ownerId and everything",
    ),
  );

export const TakeDown = z.strictObject({ imageId: ImageId });

/** `userId` is the user's `sub` in the user pool. */
export const RemoveUser = z.strictObject({
  userId: UserId,
});

export const GetStatus = z.strictObject({ cursor: z.optional(Cursor) });

/** How many commands were sent. `next` is the cursor for the next call, null if there is nothing more to send. */
export type ReprocessResult = { sent: number; next: string | null };

export type RedriveResult = {
  task: "started" | "running" | "none";
  /** The approximate number of messages in the dead-letter queue. */
  messages: number;
};

/** How many messages of a queue wait, are being worked on, and become visible later. Counts are approximate. */
export type QueueDepth = { waiting: number; inFlight: number; delayed: number };

export type Status = {
  queues: Record<"ingest" | "ingestDead" | "sync" | "outboxDead" | "countDead", QueueDepth>;
  /** The number of images in each state. One call may count a part of a large table only: add the numbers of the call with `next`. */
  images: Record<z.infer<typeof State>, number>;
  /** The cursor for the next call, null if the whole table was counted. */
  next: string | null;
};
