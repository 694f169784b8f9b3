import * as Bucket from "@balde/core/bucket";
import * as Id from "@balde/core/id";
import * as Image from "@balde/core/image.schema";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import * as Upload from "@balde/core/upload.schema";
import * as WorkerProcess from "@balde/imaging/worker-process";
import * as Limits from "@balde/imaging/limits";
import { Refusal } from "@balde/imaging/refusal";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";

import { found, gone, publish, store } from "./ingest-store.ts";
import { type Arrival, Message } from "./message.ts";

/** What the function needs beside a picture's pixels: to read it, and to store what was made of it. */
const ASIDE_MS = 15_000;

/** Works on what the queue holds; what fails is handed out again, and ends in the dead-letter queue. */
export async function handler(
  { Records }: SQSEvent,
  context?: Pick<Context, "getRemainingTimeInMillis">,
): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse["batchItemFailures"] = [];
  const left = () => context?.getRemainingTimeInMillis() ?? Infinity;
  const milliseconds = Math.min(Limits.PREPARE_SECONDS * 1000, left() - ASIDE_MS);
  // one after the other: each may hold a whole decoded picture
  for (const [index, { messageId, body }] of Records.entries()) {
    try {
      // what is slow is refused, but not what is behind it
      if (index > 0 && left() < milliseconds + ASIDE_MS) throw new Error("no time is left for it");
      await work(body, { milliseconds });
    } catch (error) {
      console.error({ message: "not ingested, it will be tried again", messageId, body, error });
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}

async function work(body: string, limit: WorkerProcess.Limit) {
  const message = Message.parse(JSON.parse(body));
  if ("kind" in message) return commands[message.kind](message.imageId, limit);
  if ("Event" in message) return;
  for (const arrival of message.Records) await receive(arrival, limit);
}

const commands = { erase: (id: Image.ImageId) => Ingest.erase(id), follow, reprocess };

/** Prepares a picture anew that was accepted before; until it is done the old renditions are delivered. */
async function reprocess(id: Image.ImageId, limit: WorkerProcess.Limit) {
  const image = await Ingest.find(id);
  const bytes = image?.rev && (await Bucket.read(ObjectKey.original(id, image.rev)));
  if (!image || !bytes) return console.warn({ message: "nothing to prepare anew", id });
  try {
    const prepared = await WorkerProcess.prepare(bytes, { ...limit, publish: isPublished(image) });
    await store(image, prepared);
    await Ingest.renew(id, found(bytes, prepared));
    await caughtUp(image, limit);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // it was taken by the rules of its day
    console.warn({ message: "kept as it is", id, code: error.code, detail: error.detail });
  }
}

/** Makes the published copy what the row says: there while the image is public, gone while it is private. */
async function follow(id: Image.ImageId, limit: WorkerProcess.Limit): Promise<void> {
  const image = await Ingest.find(id);
  // a command that comes again may speak of an image that is gone
  if (!image) return Ingest.erase(id);
  if (!image.name || !image.rev) return;
  if (isPublished(image)) {
    const bytes = await Bucket.read(ObjectKey.original(id, image.rev));
    if (bytes)
      await publish(image, await WorkerProcess.prepare(bytes, { ...limit, publish: true }));
  } else await Ingest.hide(image);
  await caughtUp(image, limit);
}

/** The row may have been changed while its copy was worked on, by somebody whose command ran before the copy was there. */
async function caughtUp(image: Ingest.Image, limit: WorkerProcess.Limit) {
  if (!image.name) return;
  const now = await Ingest.find(image.id);
  if (!now) await Ingest.eraseLate(image);
  else if (now.visibility !== image.visibility) await follow(image.id, limit);
}

const isPublished = ({ name, visibility }: Ingest.Image) =>
  name !== undefined && visibility === "public";

async function receive(arrival: Arrival, limit: WorkerProcess.Limit) {
  const { eventName, s3 } = arrival;
  const { object } = s3;
  const isCreated = eventName.startsWith("ObjectCreated:");
  const id = isCreated && (ObjectKey.uploader(object.key) ?? (await adopt(arrival)));
  if (!id) {
    console.warn({ message: "nothing to ingest", eventName, key: object.key });
    return;
  }
  const { key, sequencer, versionId: version } = object;
  const upload = { id, key, sequencer, version };
  // comes while the row is asked; where there is nothing to do, it was read for nothing
  const head = part(object, 0, HEAD_BYTES);
  head.catch(() => {});
  const image = await Ingest.begin(upload);
  if (!image) return;
  try {
    const sent = ObjectKey.sent(key);
    if (sent && !image.name) throw badName(sent.name);
    const bytes = await read(object, head);
    const prepared = await WorkerProcess.prepare(bytes, { ...limit, publish: isPublished(image) });
    await store(image, prepared, object);
    await Ingest.settle(upload, found(bytes, prepared));
    await caughtUp(image, limit);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await Ingest.reject(upload, { code: error.code, detail: error.detail });
  }
}

/** The image of what was sent under a name, past the API; undefined when it is nobody's, or when its work was done before. */
async function adopt({ eventTime, s3: { object } }: Arrival) {
  const sent = ObjectKey.sent(object.key);
  if (!sent) return undefined;
  const { ownerId, type, name } = sent;
  const notes = (await Bucket.head(object.key))?.metadata;
  // the gateway noted the owner from the token; only the key also holds what somebody wrote
  if (notes?.["owner"] !== ownerId) return undefined;
  const cause = `${object.key} ${object.versionId ?? object.sequencer}`;
  const id = Id.derive("image", Date.parse(eventTime), cause);
  const isName = Image.Name.safeParse(name).success;
  await Ingest.adopt({
    id,
    ownerId,
    ...(isName && { name }),
    type,
    bytes: object.size,
    at: eventTime,
  });
  return id;
}

/** First as much as says what it is: what is refused for that is not read to its end. */
async function read(object: Sent, head: Promise<Buffer>): Promise<Buffer> {
  const { size } = object;
  if (size > Upload.MAX_BYTES) throw tooLarge(size);
  const first = await head;
  await WorkerProcess.glance(first, { size, milliseconds: Limits.GLANCE_SECONDS * 1000 });
  return Buffer.concat([first, await part(object, HEAD_BYTES, size)]);
}

type Sent = Arrival["s3"]["object"];

async function part({ key, size, eTag }: Sent, from: number, to: number): Promise<Buffer> {
  // of nothing there is no part
  if (from >= size) return Buffer.alloc(0);
  const bytes = await Bucket.read(key, eTag, `bytes=${from}-${to - 1}`);
  if (!bytes) throw gone();
  return bytes;
}

/** As much of a file as says what it is: JPEG, PNG, GIF, AVIF and SVG always do so here, WebP, TIFF and a JPEG with a large profile not always. */
const HEAD_BYTES = 64 * 1024;

const tooLarge = (size: number) =>
  new Refusal(
    "too_large",
    "upload.too_large",
    `${size} bytes are more than an upload may have: ${Upload.MAX_BYTES}`,
  );

const badName = (name: string) => {
  const rule = Image.Name.safeParse(name).error?.issues[0]?.message;
  return new Refusal(
    "unprocessable",
    "name.invalid",
    `${JSON.stringify(name)} is no name: ${rule}`,
  );
};
