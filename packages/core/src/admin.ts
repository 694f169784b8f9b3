import { Resource } from "sst/resource";

import * as Cursor from "./cursor.ts";
import * as Dynamo from "./dynamo.ts";
import { fn } from "./fn.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import { Look, type Redriven, Reprocess, type Sent } from "./admin.schema.ts";
import * as Queue from "./queue.ts";

export * from "./admin.schema.ts";

// What the people who operate Balde do. Who they are is AWS's business: no actor is asked for.

/** How it stands: what waits, what failed, how many images are in which state. */
export const look = fn(Look, async ({ cursor }): Promise<Look> => {
  const [ingest, ingestDead, countDead] = await Promise.all(
    [Resource.Ingest.url, Resource.IngestDead.url, Resource.CountDead.url].map(Queue.depth),
  );
  const images = { pending: 0, processing: 0, ready: 0, rejected: 0, deleted: 0 };
  const deadline = Date.now() + PATIENCE_MS;
  let after: Dynamo.Key | undefined;
  for await (const page of Dynamo.scan({ ...everyImage, after: position("state", cursor) })) {
    for (const { state } of page.items) images[state as keyof typeof images]++;
    after = page.after;
    if (Date.now() > deadline) break;
  }
  const queues = { ingest: ingest!, ingestDead: ingestDead!, countDead: countDead! };
  return { queues, images, next: after ? Cursor.write("state", `${after.pk} ${after.sk}`) : null };
});

/** What ended in ingest's dead-letter queue goes round again. */
export async function redrive(): Promise<Redriven> {
  const { waiting } = await Queue.depth(Resource.IngestDead.url);
  if (waiting === 0) return { task: "none", messages: 0 };
  const task = await Queue.move(Resource.IngestDead.url, Resource.Ingest.url);
  return { task, messages: waiting };
}

/** Commands ingest to prepare pictures anew from their originals, as with an engine that has learnt something. */
export const reprocess = fn(Reprocess, async ({ imageId, ownerId, cursor }): Promise<Sent> => {
  if (imageId) {
    if (!(await Image.findRow(imageId))) throw Image.notFound(imageId);
    await Queue.send(command(imageId));
    return { sent: 1, next: null };
  }
  return ownerId ? reprocessOf(ownerId, cursor) : reprocessAll(cursor);
});

/** Well within the 25 seconds of the function, and as much as a person waits for. */
const PATIENCE_MS = 8_000;
/** Half a second of sending: a cursor that is lost costs no more than this. */
const AT_ONCE = 500;

async function reprocessOf(ownerId: string, cursor: string | undefined): Promise<Sent> {
  const list = `reprocess ${ownerId}`;
  const items = Dynamo.query({
    index: "gsi1",
    when: "#gsi1pk = :owner AND #gsi1sk > :after",
    values: { owner: ImageRow.ownerKey(ownerId), after: Cursor.read(list, cursor) ?? "img_" },
    pageSize: AT_ONCE,
  });
  const ids: ImageId[] = [];
  let next: string | null = null;
  for await (const { id, state, gsi1sk } of items) {
    if (state === "ready") ids.push(id as ImageId);
    if (ids.length < AT_ONCE) continue;
    next = Cursor.write(list, String(gsi1sk));
    break;
  }
  await Queue.sendAll(ids.map(command));
  return { sent: ids.length, next };
}

async function reprocessAll(cursor: string | undefined): Promise<Sent> {
  const deadline = Date.now() + PATIENCE_MS;
  const ready = {
    when: `${everyImage.when} AND #state = :ready`,
    values: { ...everyImage.values, ready: "ready" },
  };
  let sent = 0;
  let after: Dynamo.Key | undefined;
  for await (const page of Dynamo.scan({ ...ready, after: position("reprocess", cursor) })) {
    await Queue.sendAll(page.items.map(({ id }) => command(id as ImageId)));
    sent += page.items.length;
    after = page.after;
    if (sent >= AT_ONCE || Date.now() > deadline) break;
  }
  return { sent, next: after ? Cursor.write("reprocess", `${after.pk} ${after.sk}`) : null };
}

const everyImage = {
  when: "begins_with(#pk, :image) AND #sk = :meta",
  values: { image: "IMAGE#", meta: "META" },
};

const command = (imageId: ImageId) => ({ kind: "reprocess", imageId });

function position(list: string, cursor: string | undefined): Dynamo.Key | undefined {
  const [pk, sk] = Cursor.read(list, cursor)?.split(" ") ?? [];
  return pk && sk ? { pk, sk } : undefined;
}
