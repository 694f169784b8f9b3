import * as Dynamo from "@balde/core/dynamo";
import * as Id from "@balde/core/id";
import * as Image from "@balde/core/image";
import * as ImageRow from "@balde/core/image.row";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../core/test/cloud.ts";
import { pendingImage, readyImage } from "../../core/test/samples.ts";
import { restEvent } from "../test/rest-event.ts";
import { handler } from "./admin.lambda.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;

beforeAll(async () => {
  cloud = await startCloud();
  // the other queues are elsewhere; what is asked of them is asked over HTTP in tools/e2e
  for (const name of ["IngestDead", "Sync", "OutboxDead", "CountDead"])
    process.env[`SST_RESOURCE_${name}`] = process.env["SST_RESOURCE_Ingest"];
});

afterAll(() => cloud?.stop());

async function call(method: string, path: string, body?: object, userArn: string | null = "arn") {
  const event = restEvent(method, path, {
    ...(body && { body, headers: { "content-type": "application/json" } }),
  });
  event.requestContext.identity.userArn = userArn;
  const { statusCode, body: text } = await handler(event);
  // each test narrows what it looks at
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: statusCode, body: JSON.parse(text) as any };
}

test("a request that the gateway has not authenticated by signature is rejected", async () => {
  const { status, body } = await call("POST", "/admin/v1/redrive", undefined, null);
  expect([status, body.code]).toEqual([403, "operator.unsigned"]);
});

test("images are counted by state, and each image is counted once", async () => {
  await pendingImage({}, "counted");
  await readyImage({}, "counted");
  const { images, next } = (await call("GET", "/admin/v1/state")).body;
  expect(next).toBeNull();
  expect(images).toMatchObject({ pending: 1, ready: 1, processing: 0, rejected: 0, deleted: 0 });
});

test("reprocessing an owner's many images continues at the cursor, each image once", async () => {
  const first = await readyImage({}, "prolific");
  const row = ImageRow.parse(await Dynamo.get(ImageRow.key(first)))!;
  // copies of its row, because 510 uploads would take half a minute
  const copies = Array.from({ length: 509 }, () => Id.create("image"));
  for (let start = 0; start < copies.length; start += 50)
    await Promise.all(
      copies
        .slice(start, start + 50)
        .map((id) => Dynamo.put({ item: ImageRow.item({ ...row, id }) })),
    );
  const ids = new Set<string>([first, ...copies]);
  await cloud.messages();
  const before = (await cloud.messages()).length;
  const sent: number[] = [];
  const cursors: string[] = [];
  let cursor: string | undefined;
  do {
    const { status, body } = await call("POST", "/admin/v1/reprocess", {
      ownerId: "prolific",
      ...(cursor && { cursor }),
    });
    expect(status).toBe(202);
    sent.push(body.sent);
    cursor = body.next ?? undefined;
    if (cursor) cursors.push(cursor);
  } while (cursor);
  expect(sent).toEqual([500, 10]);
  const commands = (await cloud.messages()).slice(before) as { kind: string; imageId: string }[];
  expect(commands.map(({ kind }) => kind)).toEqual(Array(510).fill("reprocess"));
  expect(new Set(commands.map(({ imageId }) => imageId))).toEqual(ids);
  const another = { ownerId: "another-user", cursor: cursors[0] };
  expect((await call("POST", "/admin/v1/reprocess", another)).body.code).toBe("cursor.invalid");
});

test("only ready images are reprocessed; a missing image is not found", async () => {
  const { id } = await pendingImage({}, "slow");
  expect((await call("POST", "/admin/v1/reprocess", { ownerId: "slow" })).body.sent).toBe(0);
  expect((await Image.findRow(id))?.state).toBe("pending");
  const missing = await call("POST", "/admin/v1/reprocess", {
    imageId: "img_00000000000000000000000000",
  });
  expect([missing.status, missing.body.code]).toEqual([404, "image.not_found"]);
});
