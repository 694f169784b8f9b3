import * as MessageVisibility from "@balde/core/message-visibility";
import type { SQSRecord } from "aws-lambda";
import { Resource } from "sst/resource";

// How long a message stays hidden while it is worked on, and after a failure: docs/adr/0024-leases-on-messages.md

/** A process that was killed gives its message back after so long. */
const LEASE_SECONDS = 10;
/** Three renewals in a lease: one may be slow or fail. */
const RENEW_MS = 3_000;
/** After the first failure; each further one doubles it. */
const FIRST_DELAY_SECONDS = 1;
const MAX_DELAY_SECONDS = 300;

type Lease = {
  /** The message is done; Lambda deletes it when the function has returned. */
  end(): void;
  /** The message failed: it becomes visible after seconds, and after twice as many each time. */
  retryLater(): Promise<void>;
};

/**
 * Shortens the visibility timeout of a received message, which the queue has for the whole timeout of the function, and renews
 * it until the lease ends. If SQS cannot be reached, the message keeps the timeout that it has.
 */
export function take(record: SQSRecord): Lease {
  const delay = delaySeconds(Number(record.attributes.ApproximateReceiveCount));
  // a message that kills each process that receives it must not come back every ten seconds
  const seconds = Math.max(LEASE_SECONDS, delay);
  let renewal = hide(record, seconds);
  const renewing = setInterval(() => void (renewal = hide(record, seconds)), RENEW_MS);
  return {
    end: () => clearInterval(renewing),
    async retryLater() {
      clearInterval(renewing);
      // a renewal that is under way would end the shorter delay
      await renewal;
      await hide(record, delay);
    },
  };
}

/** The delay after an attempt, the first of which has the number 1. */
export const delaySeconds = (attempt: number): number =>
  Math.min(FIRST_DELAY_SECONDS * 2 ** (attempt - 1), MAX_DELAY_SECONDS);

async function hide({ receiptHandle, eventSourceARN }: SQSRecord, seconds: number): Promise<void> {
  try {
    await MessageVisibility.change(queueUrl(eventSourceARN), receiptHandle, seconds);
  } catch (error) {
    console.warn({ message: "The visibility of a message was not changed", error });
  }
}

function queueUrl(arn: string): string {
  const name = arn.split(":").at(-1);
  const url = [Resource.Ingest.url, Resource.Sync.url].find((each) => each.endsWith(`/${name}`));
  if (!url) throw new Error(`BUG: a message of the queue ${arn}, to which ingest is not linked`);
  return url;
}
