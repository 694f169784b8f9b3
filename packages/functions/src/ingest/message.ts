import { ImageId } from "@balde/core/id.schema";
import * as z from "zod/mini";

/** An object that came to rest in the bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export type Arrival = z.infer<typeof Arrival>;
const Arrival = z.object({
  eventName: z.string(),
  eventTime: z.iso.datetime(),
  s3: z.object({
    object: z.object({
      /** Encoded as in a form: `+` is a space. */
      key: z.pipe(
        z.string(),
        z.transform((key) => decodeURIComponent(key.replaceAll("+", " "))),
      ),
      size: z.int(),
      eTag: z.string(),
      versionId: z.optional(z.string()),
      sequencer: z.string(),
    }),
  }),
});

const Command = z.object({ kind: z.enum(["erase", "follow", "reprocess"]), imageId: ImageId });

/** S3 sends one when somebody configures the notification. */
const Probe = z.object({ Event: z.literal("s3:TestEvent") });

/** What waits in the ingest queue. */
export const Message = z.union([z.object({ Records: z.array(Arrival) }), Command, Probe]);
