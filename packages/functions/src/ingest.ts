import * as Bucket from "@balde/core/bucket";
import * as Id from "@balde/core/id";
import * as Image from "@balde/core/image.schema";
import * as Ingest from "@balde/core/ingest";
import * as Name from "@balde/core/name";
import * as ObjectKey from "@balde/core/object-key";
import * as Upload from "@balde/core/upload.schema";
import { type Prepared, prepare } from "@balde/images/prepare";
import { Refusal } from "@balde/images/refusal";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { type Arrival, Message } from "./ingest.message.ts";

/** Works on what the queue holds; what fails is handed out again, and ends in the dead-letter queue. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse["batchItemFailures"] = [];
  // one after the other: each may hold a whole decoded picture
  for (const { messageId, body } of Records) {
    try {
      await work(body);
    } catch (error) {
      console.error({ message: "not ingested, it will be tried again", messageId, body, error });
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}

async function work(body: string) {
  const message = Message.parse(JSON.parse(body));
  if ("kind" in message) return Ingest.erase(message.imageId);
  if ("Event" in message) return;
  for (const arrival of message.Records) await receive(arrival);
}

async function receive(arrival: Arrival) {
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
  const image = await Ingest.begin(upload);
  if (!image) return;
  try {
    const sent = ObjectKey.sent(key);
    if (sent && !image.name) throw badName(sent.name);
    const bytes = await read(object);
    const prepared = await prepare(bytes, { publish: image.name !== undefined });
    await store(image, bytes, prepared);
    await Ingest.settle(upload, found(bytes, prepared));
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
  const notes = await Bucket.notes(object.key);
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

async function read({ key, size, eTag }: Arrival["s3"]["object"]): Promise<Buffer> {
  if (size > Upload.MAX_BYTES) throw tooLarge(size);
  const bytes = await Bucket.read(key, eTag);
  if (!bytes) throw gone();
  return bytes;
}

type Row = NonNullable<Awaited<ReturnType<typeof Ingest.begin>>>;

/** Every key comes from the bytes, so to store twice is to store once. */
async function store(image: Row, bytes: Buffer, { rev, contentType, rungs, published }: Prepared) {
  const { id, name } = image;
  // the row decides whose the name is; only its owner writes the object
  if (name && !(await Name.publish(name, image))) throw nameTaken(name);
  await Promise.all([
    Bucket.put(ObjectKey.original(id, rev), bytes, { type: contentType, createOnly: true }),
    ...rungs.map(({ width, data, contentType }) => {
      const type = rungType(contentType);
      return Bucket.put(ObjectKey.rung(id, rev, { width, type }), data, { type });
    }),
    ...(name && published
      ? [
          Bucket.put(ObjectKey.named(name), published.data, {
            type: published.contentType,
            // a name may be another picture's tomorrow
            cacheControl: "public, max-age=60",
          }),
        ]
      : []),
  ]);
}

const found = (bytes: Buffer, prepared: Prepared): Ingest.Found => ({
  type: prepared.contentType,
  bytes: bytes.length,
  width: prepared.width,
  height: prepared.height,
  rev: prepared.rev,
  color: prepared.color,
  thumbhash: prepared.thumbhash,
  hasAlpha: prepared.hasAlpha,
  pages: prepared.pages,
  rungs: prepared.rungs.map(({ width, height, contentType, data }) => ({
    width,
    height,
    type: rungType(contentType),
    bytes: data.length,
  })),
});

const rungType = (contentType: string) =>
  contentType === "image/png" ? "image/png" : "image/jpeg";

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

const gone = () =>
  new Refusal("unprocessable", "upload.gone", "The uploaded bytes were replaced or have expired");

const nameTaken = (name: string) =>
  new Refusal("unprocessable", "name.taken", `The name ${name} is another picture's by now`);
