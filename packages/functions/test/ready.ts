import * as Bucket from "@balde/core/bucket";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import { prepare } from "@balde/imaging/prepare";

import { pendingImage } from "../../core/test/samples.ts";

/** A picture as ingest leaves it. */
export async function ready(bytes: Buffer, about: Parameters<typeof pendingImage>[0] = {}) {
  const { id } = await pendingImage(about);
  const { rungs, contentType: type, rev, ...rest } = await prepare(bytes, { publish: false });
  const upload = { id, sequencer: "01" };
  await Ingest.begin(upload);
  await Bucket.put(ObjectKey.original(id, rev), bytes, { type });
  const kept = rungs.map(({ width, height, contentType, data }) => {
    const type = contentType as "image/jpeg";
    return { rung: { width, height, type, bytes: data.length }, data };
  });
  for (const { rung, data } of kept)
    await Bucket.put(ObjectKey.rung(id, rev, rung), data, { type: rung.type });
  const found = { ...rest, type, rev, bytes: bytes.length, rungs: kept.map(({ rung }) => rung) };
  await Ingest.settle(upload, found);
  return { id, rev };
}
