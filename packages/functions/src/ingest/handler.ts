import * as Account from "@balde/core/account";
import * as Ingest from "@balde/core/ingest";
import * as Limits from "@balde/imaging/limits";
import type * as WorkerProcess from "@balde/imaging/worker-process";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";

import { eraseUser } from "./erase-user.ts";
import { Message } from "./message.ts";
import * as MessageLease from "./message-lease.ts";
import { postpone } from "./postpone.ts";
import { processUpload } from "./process-upload.ts";
import { reprocessImage } from "./reprocess-image.ts";
import { syncImage } from "./sync-image.ts";

/** What the function needs beside preparing an image: to read it, and to store what was prepared. 500 MiB are read at 25 MiB a second, and copied within S3, in this time. */
const READ_AND_STORE_MS = 45_000;

/** Works on the messages of the queues `Ingest` and `Sync`. A message that fails is delivered again after seconds, and at last goes to the dead-letter queue. */
export async function handler(
  { Records }: SQSEvent,
  context?: Pick<Context, "getRemainingTimeInMillis">,
): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse["batchItemFailures"] = [];
  const remainingMs = () => context?.getRemainingTimeInMillis() ?? Infinity;
  const milliseconds = Math.min(Limits.PREPARE_SECONDS * 1000, remainingMs() - READ_AND_STORE_MS);
  // one after the other: each may hold a whole decoded image in memory
  for (const [index, record] of Records.entries()) {
    const { messageId, body } = record;
    const lease = MessageLease.take(record);
    try {
      // an image that takes too long is rejected; the messages behind it are tried again
      if (index > 0 && remainingMs() < milliseconds + READ_AND_STORE_MS)
        throw new Error("An earlier message of the batch took the time that this one needs");
      const message = Message.parse(JSON.parse(body));
      await handleMessage(message, { milliseconds }).catch(async (error: unknown) => {
        if (!(error instanceof Ingest.OwnerIsBusy)) throw error;
        await postpone(message);
      });
      lease.end();
    } catch (error) {
      console.error({
        message: "A message was not ingested and will be tried again",
        messageId,
        body,
        error,
      });
      await lease.retryLater();
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}

async function handleMessage(message: Message, limit: WorkerProcess.Limit) {
  if ("Records" in message) {
    for (const record of message.Records) await processUpload(record, limit);
    return;
  }
  if ("Event" in message) return;
  switch (message.kind) {
    case "sync":
      return syncImage(message, limit);
    case "eraseUser":
      return eraseUser(message.userId);
    case "deleteUser":
      await Account.markForDeletion(message.userId);
      return;
    case "reprocess":
      return reprocessImage(message.imageId, limit);
  }
}
