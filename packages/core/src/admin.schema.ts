import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import { Cursor, type State } from "./image.schema.ts";

/** Which pictures to prepare anew: one, everybody's of one owner, or all. `cursor` goes on where the last answer's `next` says. */
export const Reprocess = z
  .strictObject({
    imageId: z.optional(ImageId),
    ownerId: z.optional(z.string().check(z.minLength(1), z.maxLength(128))),
    everything: z.optional(z.literal(true)),
    cursor: z.optional(Cursor),
  })
  .check(
    z.refine(
      ({ imageId, ownerId, everything }) =>
        [imageId, ownerId, everything].filter((which) => which !== undefined).length === 1,
      "say one of imageId, ownerId and everything",
    ),
  );

export const Look = z.strictObject({ cursor: z.optional(Cursor) });

/** How many commands were sent; `next` is null when there are no more to send. */
export type Sent = { sent: number; next: string | null };

export type Redriven = {
  task: "started" | "running" | "none";
  /** About how many messages wait in the dead-letter queue. */
  messages: number;
};

export type Depth = { waiting: number; inFlight: number; delayed: number };

export type Look = {
  queues: { ingest: Depth; ingestDead: Depth; countDead: Depth };
  /** Images by state. A large table is not counted in one call: add what the call with `next` answers. */
  images: Record<z.infer<typeof State>, number>;
  next: string | null;
};
