import * as Bucket from "@balde/core/bucket";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import { prepare } from "@balde/imaging/prepare";
import { buffer } from "node:stream/consumers";

import { pendingImage } from "../../core/test/samples.ts";
import type { DeliveryRequest } from "../src/deliver/delivery-request.ts";
import { serveImage } from "../src/deliver/serve-image.ts";

/** An image as ingest leaves it. */
export async function readyImage(bytes: Buffer, about: Parameters<typeof pendingImage>[0] = {}) {
  const { id } = await pendingImage(about);
  const { rungs, contentType: type, rev, ...rest } = await prepare(bytes, { namedCopy: false });
  const event = { id, sequencer: "01" };
  const image = await Ingest.startProcessing(event);
  await Bucket.put(ObjectKey.original(id, rev), bytes, { type });
  const stored = rungs.map(({ width, height, contentType, data }) => {
    const type = contentType as "image/jpeg";
    return { rung: { width, height, type, bytes: data.length }, data };
  });
  for (const { rung, data } of stored)
    await Bucket.put(ObjectKey.rung(id, rev, rung), data, { type: rung.type });
  const found = { ...rest, type, rev, bytes: bytes.length, rungs: stored.map(({ rung }) => rung) };
  await Ingest.markReady(event, image!, found);
  return { id, rev };
}

/** A GET for the image with the query, as a browser sends it. */
export const deliveryRequest = (
  image: { id: string; rev: string | undefined },
  query: string,
  more: Partial<DeliveryRequest> = {},
): DeliveryRequest => ({
  host: "api.example",
  ...image,
  preset: undefined,
  query: Object.fromEntries([...new URLSearchParams(query)].map(([key, value]) => [key, [value]])),
  isHead: false,
  accept: "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
  ifNoneMatch: undefined,
  range: undefined,
  ifRange: undefined,
  ...more,
});

/** The response with its body read, and its derivative stored. */
export async function served(request: DeliveryRequest) {
  const { status, headers, body = Buffer.alloc(0), afterSent } = await serveImage(request);
  const bytes = Buffer.isBuffer(body) ? body : await buffer(body);
  await afterSent?.();
  return { status, headers, body: bytes };
}
