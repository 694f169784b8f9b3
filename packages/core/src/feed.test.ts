import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { found } from "../test/samples.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

/** Puts an image into the feed that was created at this time, and returns its id. */
async function addImage(time: string) {
  const id = Id.derive("image", Date.parse(time), `an image of ${time}`);
  const row: ImageRow.Row = {
    ...found,
    id,
    ownerId: "ann",
    state: "ready",
    visibility: "public",
    tags: [],
    createdAt: time,
    updatedAt: time,
    version: 1,
  };
  await Feed.addDay(id);
  await Dynamo.put({ item: { ...ImageRow.item(row), ...Feed.attributes(id) } });
  return id;
}

async function read(before?: string) {
  const entries = [];
  for await (const { position, item } of Feed.entriesBefore({ before, pageSize: 2 }))
    entries.push(item ? item.id : position);
  return entries;
}

const endOfDay = (day: string) => Id.lowestAt("image", Date.parse(day));

test("the feed lists the images of all days newest first, and each day ends with an entry without an image", async () => {
  const old = await addImage("2026-10-02T00:00:00.000Z");
  const morning = await addImage("2026-11-20T08:00:00.000Z");
  const night = await addImage("2026-11-20T23:59:59.999Z");
  const next = await addImage("2026-11-21T00:00:00.000Z");
  const all = [
    next,
    endOfDay("2026-11-21"),
    night,
    morning,
    endOfDay("2026-11-20"),
    old,
    endOfDay("2026-10-02"),
  ];
  expect(await read()).toEqual(all);
  // a page may start after any entry
  for (const [index, position] of all.entries())
    expect((await read(position)).filter((entry) => entry < position)).toEqual(
      all.slice(index + 1),
    );
});

test("an image that loses the feed's attributes leaves the feed", async () => {
  const id = await addImage("2026-09-01T12:00:00.000Z");
  expect(await read()).toContain(id);
  await ImageRow.update({ id, remove: Feed.attributeNames });
  expect(await read()).not.toContain(id);
});

test("a day is added once, however often it is added", async () => {
  const id = Id.create("image");
  expect([await Feed.addDay(id), await Feed.addDay(id)]).toEqual([true, false]);
});

test("the images of a day are spread over four partitions of the index", () => {
  const ids = Array.from({ length: 100 }, (_, n) => Id.derive("image", 1_800_000_000_000, `${n}`));
  const partitions = new Set(ids.map((id) => Feed.attributes(id).gsi2pk));
  expect([...partitions].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
    [0, 1, 2, 3].map((shard) => `FEED#2027-01-15#${shard}`),
  );
});
