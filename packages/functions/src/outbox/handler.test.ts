import * as Erase from "@balde/core/erase";
import * as Dynamo from "@balde/core/dynamo";
import { marshallItem } from "@balde/core/dynamo-http";
import * as Image from "@balde/core/image";
import * as ImageRow from "@balde/core/image.row";
import * as Queue from "@balde/core/queue";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { Resource } from "sst/resource";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as, readyImage } from "../../../core/test/samples.ts";
import { handler } from "./handler.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => {
  cloud = await startCloud();
  // the fixture reads the messages of this queue
  process.env["SST_RESOURCE_Sync"] = process.env["SST_RESOURCE_Ingest"];
});
afterAll(() => cloud.stop());

/** The commands that are sent at once for a change of the image's row, and how many are sent for later. */
async function commandsOf(id: Image.Info["id"], change: () => Promise<unknown>) {
  const read = () => Dynamo.get(ImageRow.key(id));
  const before = await read();
  await change();
  const now = await read();
  const sent = (await cloud.messages()).length;
  const { delayed } = await Queue.getDepth(Resource.Sync.url);
  await handler({ Records: [record(ImageRow.key(id), before, now)] } as DynamoDBStreamEvent);
  return {
    now: (await cloud.messages()).slice(sent),
    later: (await Queue.getDepth(Resource.Sync.url)).delayed - delayed,
  };
}

const record = (Keys: Dynamo.Key, before?: Dynamo.Item, now?: Dynamo.Item) =>
  ({
    eventName: before ? (now ? "MODIFY" : "REMOVE") : "INSERT",
    dynamodb: {
      Keys: marshallItem(Keys),
      ...(before && { OldImage: marshallItem(before) }),
      ...(now && { NewImage: marshallItem(now) }),
    },
  }) as DynamoDBRecord;

test("each change of what is public commands ingest to bring the objects to it, and no other change does", async () => {
  const id = await readyImage({ name: "outbox.jpg" });
  const update = (changes: Partial<Image.Info>) => () =>
    as("ann", () => Image.update({ id, ...changes }));
  const sync = { kind: "sync", imageId: id };
  expect(await commandsOf(id, update({ title: "Pier" }))).toEqual({ now: [], later: 0 });
  expect(await commandsOf(id, update({ visibility: "private" }))).toEqual({
    now: [sync],
    later: 0,
  });
  expect(await commandsOf(id, update({ visibility: "public" }))).toEqual({ now: [sync], later: 0 });
});

test("a deletion commands to erase at once and when all others have ended, also when it is repeated", async () => {
  const id = await readyImage({ name: "outbox-2.jpg" });
  const remove = () => as("ann", () => Image.remove(id));
  const erase = { now: [{ kind: "sync", imageId: id }], later: 1 };
  expect(await commandsOf(id, remove)).toEqual(erase);
  expect(await commandsOf(id, remove)).toEqual(erase);
  expect(await commandsOf(id, () => Erase.forgetName(id))).toEqual({ now: [], later: 0 });
  expect(await commandsOf(id, () => Dynamo.remove({ key: ImageRow.key(id) }))).toEqual({
    now: [{ kind: "sync", imageId: id }],
    later: 0,
  });
});

test("when the queue does not take a command, the records are delivered again", async () => {
  const id = await readyImage();
  // SQS takes at most a megabyte
  const row = { ...(await Dynamo.get(ImageRow.key(id))), name: "n".repeat(1024 * 1024) };
  const Records = [record(ImageRow.key(id), row)];
  await expect(handler({ Records } as DynamoDBStreamEvent)).rejects.toThrow(/longer than/);
});
