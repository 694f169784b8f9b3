import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { Resource } from "sst/resource";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, pendingImage, readyImage } from "../test/samples.ts";
import * as Admin from "./admin.ts";
import * as Id from "./id.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

/** The ids of all reprocess commands that `work` sends. */
async function reprocessed(work: () => Promise<unknown>) {
  const before = (await cloud.messages()).length;
  await work();
  const commands = (await cloud.messages()).slice(before) as { kind: string; imageId: string }[];
  return new Set(commands.map(({ kind, imageId }) => `${kind} ${imageId}`));
}

test("the status counts the images of each state and the messages of each queue", async () => {
  await pendingImage();
  await readyImage();
  const { id: rejected } = await pendingImage();
  const rejecting = (await Ingest.startProcessing({ id: rejected, sequencer: "01" }))!;
  await Ingest.markRejected({ id: rejected, sequencer: "01" }, rejecting, {
    code: "a.b",
    detail: "No",
  });
  await as("ann", async () => Image.remove(await readyImage()));
  const { id: processing } = await pendingImage();
  await Ingest.startProcessing({ id: processing, sequencer: "01" });
  await cloud.messages();

  const none = { waiting: 0, delayed: 0 };
  expect(await Admin.getStatus({})).toMatchObject({
    queues: {
      ingest: none,
      ingestDead: none,
      sync: none,
      outboxDead: none,
      countDead: none,
    },
    images: { pending: 1, processing: 1, ready: 1, rejected: 1, deleted: 1 },
    next: null,
  });
  await expect(Admin.getStatus({ cursor: "forged" })).rejects.toMatchObject({
    code: "cursor.invalid",
  });
});

test("ready and deleted images are brought to what their rows say: one, the ready ones of one owner, or all", async () => {
  const [first, second] = [await readyImage({}, "olga"), await readyImage({}, "olga")];
  await pendingImage({}, "olga");
  const other = await readyImage({}, "pete");

  expect(await reprocessed(() => Admin.reprocess({ imageId: other }))).toEqual(
    new Set([`reprocess ${other}`]),
  );
  const ofOwner = () => Admin.reprocess({ ownerId: "olga" });
  expect(await reprocessed(ofOwner)).toEqual(
    new Set([`reprocess ${first}`, `reprocess ${second}`]),
  );
  expect(await ofOwner()).toEqual({ sent: 2, next: null });
  await expect(Admin.reprocess({ ownerId: "quentin" })).rejects.toMatchObject({
    code: "image.not_found",
  });
  const all = await reprocessed(() => Admin.reprocess({ everything: true }));
  for (const id of [first, second, other]) expect(all).toContain(`reprocess ${id}`);
  // what an interrupted erase has left is erased
  await as("pete", () => Image.remove(other));
  const deleted = new Set([`reprocess ${other}`]);
  expect(await reprocessed(() => Admin.reprocess({ imageId: other }))).toEqual(deleted);
  expect(await reprocessed(() => Admin.reprocess({ everything: true }))).toEqual(all);
  await expect(Admin.reprocess({ imageId: Id.create("image") })).rejects.toMatchObject({
    code: "image.not_found",
  });
});

test.each([{}, { ownerId: "ann", everything: true as const }])(
  "a request to reprocess with %j is invalid: it must name exactly one choice",
  async (input) => {
    await expect(Admin.reprocess(input)).rejects.toMatchObject({ code: "input.invalid" });
  },
);

test("a redrive moves the messages of the dead-letter queue, and does nothing without messages", async () => {
  expect(await Admin.redrive()).toEqual({ task: "none", messages: 0 });
  await new SQSClient({ useQueueUrlAsEndpoint: false }).send(
    new SendMessageCommand({ QueueUrl: Resource.IngestDead.url, MessageBody: `{"n":1}` }),
  );
  expect(await Admin.redrive()).toEqual({ task: "started", messages: 1 });
});
