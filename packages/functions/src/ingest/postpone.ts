import * as Queue from "@balde/core/queue";
import { Resource } from "sst/resource";

import type { Message } from "./message.ts";

/** Long enough that the messages of an owner with a thousand uploads cost the others no time, and short enough that free slots are soon used. */
const MAX_DELAY_SECONDS = 30;

/**
 * Sends a message to its queue again, to be delivered seconds later: while its owner's share of ingest is used, messages of
 * other owners go on. It is a new message, so that waiting does not count as failing, which twenty times would move it to
 * the dead-letter queue. If the received one is delivered once more, too, the second to come has nothing to do.
 */
export async function postpone(message: Message): Promise<void> {
  const times = ("postponed" in message ? message.postponed : undefined) ?? 0;
  const longest = Math.min(MAX_DELAY_SECONDS, 2 ** (times + 1));
  // at different times, so that they do not all come at once again
  const delaySeconds = Math.ceil(longest * (0.5 + Math.random() / 2));
  const url =
    "kind" in message && message.kind === "sync" ? Resource.Sync.url : Resource.Ingest.url;
  await Queue.send(url, [{ body: { ...message, postponed: times + 1 }, delaySeconds }]);
}
