import { setTimeout as sleep } from "node:timers/promises";

import { array, assert, asyncProperty, constantFrom, integer, tuple } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, found, pendingImage, readyImage } from "../test/samples.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as Like from "./like.ts";
import * as SignedUrl from "./signed-url.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

type List = (input: { limit?: number; cursor?: string }) => Promise<Image.Page>;

/** Every page of a list, each of any length. */
async function all(list: List, limits: number[] = [3]) {
  const items: Image.Info[] = [];
  let cursor: string | undefined;
  for (let page = 0; ; page++) {
    const limit = limits[page % limits.length]!;
    const { items: shown, next } = await list({ limit, cursor });
    expect(shown.length).toBeLessThanOrEqual(limit);
    items.push(...shown);
    if (!next) return items.map(({ id }) => id);
    cursor = next;
  }
}

const newestFirst = (ids: string[]) => ids.toSorted().toReversed();

/** Rows of the feed as ingest leaves them, made at any moment and with or without a tag. */
async function publishedAt(moment: number, tags: string[]) {
  const time = Id.lowestAt("image", moment).slice("img_".length, -16);
  const id = `img_${time}${Id.create("image").slice(-16)}` as const;
  const at = new Date(moment).toISOString();
  const row: ImageRow.Row = {
    id,
    ownerId: "feeder",
    state: "ready",
    visibility: "public",
    tags,
    type: "image/png",
    bytes: 1,
    createdAt: at,
    updatedAt: at,
    version: 1,
  };
  await Feed.addDay(id);
  await Dynamo.put({ item: { ...ImageRow.item(row), ...Feed.attributes(id) } });
  return id;
}

test("pages of any length show every picture once, newest first, over any days, also with a tag", async () => {
  const ids = new Map<string, string[]>();
  const hour = 3600 * 1000;
  const pictures = array(tuple(integer({ min: 0, max: 40 * 24 }), constantFrom("sea", "sky")), {
    maxLength: 12,
  });
  await assert(
    asyncProperty(
      pictures,
      array(integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
      async (made, limits) => {
        for (const [hours, tag] of made)
          ids.set(await publishedAt(Date.now() - hours * hour, [tag]), [tag]);
        expect(await all(Image.list, limits)).toEqual(newestFirst([...ids.keys()]));
        const sea = [...ids].filter(([, tags]) => tags.includes("sea")).map(([id]) => id);
        const tagged: List = (input) => Image.list({ ...input, tag: "Sea" });
        expect(await all(tagged, limits)).toEqual(newestFirst(sea));
      },
    ),
    { numRuns: 12 },
  );
}, 120_000);

test("a picture that comes while somebody pages moves none of the others", async () => {
  const before = await all(Image.list);
  const first = await Image.list({ limit: 2 });
  const late = await readyImage();
  const rest = await all(({ cursor, ...input }) =>
    Image.list({ ...input, cursor: cursor ?? first.next! }),
  );
  expect([...first.items.map(({ id }) => id), ...rest]).toEqual(before);
  expect((await Image.list({ limit: 1 })).items).toMatchObject([{ id: late }]);
});

test("a cursor of one list is refused by another", async () => {
  await readyImage();
  await readyImage();
  const { next } = await Image.list({ limit: 1 });
  const refused = { kind: "invalid", code: "cursor.invalid" };
  await expect(Image.list({ tag: "sea", cursor: next! })).rejects.toMatchObject(refused);
  const mine = as("ann", () => Image.listMine({ cursor: next! }));
  await expect(mine).rejects.toMatchObject(refused);
});

test("only what is ready is shown to everybody, its owner sees all of it", async () => {
  const pending = await pendingImage({}, "olga");
  const rejected = await pendingImage({}, "olga");
  await Ingest.begin({ id: rejected.id, sequencer: "01" });
  await Ingest.reject({ id: rejected.id, sequencer: "01" }, { code: "a.b", detail: "No" });
  const ready = await readyImage({}, "olga");

  const shown = await all(Image.list, [100]);
  expect(shown).toContain(ready);
  expect(shown).not.toContain(pending.id);
  expect(shown).not.toContain(rejected.id);
  const mine: List = (input) => as("olga", () => Image.listMine(input));
  expect(await all(mine, [2])).toEqual(newestFirst([pending.id, rejected.id, ready]));
  // whoever knows the id can wait for it
  expect(await Image.get(rejected.id)).toMatchObject({
    state: "rejected",
    reason: { code: "a.b", detail: "No" },
  });
});

test("a change needs the version that its author has seen, and makes the next one", async () => {
  const id = await readyImage({ title: "Before" });
  const { version } = await Image.get(id);
  const change = (changes: object) => as("ann", () => Image.update({ id, version, ...changes }));

  const changed = await change({ title: null, alt: "A pier", tags: ["Sea"] });
  expect(changed).toMatchObject({ alt: "A pier", tags: ["sea"], version: version + 1 });
  expect(changed.title).toBeUndefined();
  expect(await Image.get(id)).toEqual(changed);
  await expect(change({ title: "Again" })).rejects.toMatchObject({
    kind: "precondition_failed",
    message: expect.stringContaining(String(version + 1)),
  });
  expect(await as("ann", () => Image.update({ id, title: "Any" }))).toMatchObject({ title: "Any" });
});

test("nobody changes or removes what is somebody else's, or changes what is not his to say", async () => {
  const id = await readyImage();
  const forbidden = { kind: "forbidden", code: "image.not_yours" };
  await expect(as("bo", () => Image.update({ id, title: "x" }))).rejects.toMatchObject(forbidden);
  await expect(as("bo", () => Image.remove(id))).rejects.toMatchObject(forbidden);
  await expect(Image.remove(id)).rejects.toMatchObject({ kind: "unauthenticated" });
  const claim = { id, likes: 1000, ownerId: "bo", state: "ready" } as { id: typeof id };
  await expect(as("ann", () => Image.update(claim))).rejects.toMatchObject({
    kind: "invalid",
    issues: [{ pointer: "/likes" }, { pointer: "/ownerId" }, { pointer: "/state" }],
  });
  expect(await Image.get(id)).toMatchObject({ ownerId: "ann", likes: 0, version: 3 });
});

test("a private image is its owner's, on every way", async () => {
  const id = await readyImage({ visibility: "private" });
  const gone = { kind: "not_found", code: "image.not_found" };
  const others: (() => Promise<unknown>)[] = [
    () => Image.get(id),
    () => Image.getMine(id),
    () => Image.update({ id, title: "x" }),
    () => Image.remove(id),
    () => Like.put(id),
    () => Like.remove(id),
    () => Like.list({ id }),
    () => SignedUrl.create({ id, host: "a", urls: [{ query: {} }] }),
  ];
  for (const way of others) await expect(as("bo", way)).rejects.toMatchObject(gone);
  // the public paths say the same to everyone, so that caches may keep it
  await expect(as("ann", () => Image.get(id))).rejects.toMatchObject(gone);
  await expect(as("ann", () => Like.list({ id }))).rejects.toMatchObject(gone);
  expect(await all(Image.list, [100])).not.toContain(id);

  expect(await as("ann", () => Image.getMine(id))).toMatchObject({ id, visibility: "private" });
  expect(await as("ann", () => Like.put(id))).toEqual({ liked: true, likes: 1 });
  expect(await as("ann", () => Image.update({ id, title: "Mine" }))).toMatchObject({
    title: "Mine",
    visibility: "private",
  });
});

test("the feed and the copy under the name follow the visibility", async () => {
  const id = await readyImage({ name: "visible.jpg" });
  const set = (visibility: "public" | "private") =>
    as("ann", () => Image.update({ id, visibility }));
  const follows = { kind: "follow", imageId: id };
  for (const visibility of ["private", "public", "private", "public"] as const) {
    const commands = (await cloud.messages()).length;
    expect(await set(visibility)).toMatchObject({ visibility });
    expect(await isInFeed(id)).toBe(visibility === "public");
    expect((await cloud.messages()).slice(commands)).toEqual([follows]);
  }
});

/** By the list, and by the row that the index is made of. */
async function isInFeed(id: Image.Info["id"]) {
  const isListed = (await all(Image.list, [100])).includes(id);
  const item = await Dynamo.get(ImageRow.key(id));
  expect(item?.["gsi2sk"]).toBe(isListed ? id : undefined);
  return isListed;
}

test(
  "whatever is clicked while an image is made ready, it is in the feed if it is public and not if it is private",
  () =>
    assert(
      asyncProperty(array(integer({ min: 0, max: 12 }), { maxLength: 4 }), async (moments) => {
        const { id } = await pendingImage();
        const upload = { id, sequencer: "01" };
        await Ingest.begin(upload);
        const clicking = moments
          .toSorted((a, b) => a - b)
          .map(async (moment, index) => {
            await sleep(moment);
            const visibility = index % 2 === 0 ? "private" : "public";
            await as("ann", () => Image.update({ id, visibility }));
          });
        await Promise.all([Ingest.settle(upload, found), ...clicking]);
        const { state, visibility } = (await Image.findRow(id))!;
        expect(state).toBe("ready");
        const item = await Dynamo.get(ImageRow.key(id));
        expect(item?.["gsi2sk"]).toBe(visibility === "public" ? id : undefined);
      }),
      { numRuns: 40 },
    ),
  120_000,
);

test("what is removed is gone at once, however often, and left to ingest to erase", async () => {
  const id = await readyImage({ title: "Secret" });
  await as("ann", () => Image.remove(id));
  await as("ann", () => Image.remove(id));
  const command = { kind: "erase", imageId: id };
  expect((await cloud.messages()).slice(-2)).toEqual([command, command]);
  await expect(Image.get(id)).rejects.toMatchObject({ code: "image.not_found" });
  await expect(as("bo", () => Image.remove(id))).rejects.toMatchObject({ kind: "not_found" });
  await expect(as("ann", () => Image.update({ id, alt: "x" }))).rejects.toMatchObject({
    kind: "not_found",
  });
  expect(await all(Image.list, [100])).not.toContain(id);
  expect(await all((input) => as("ann", () => Image.listMine(input)), [100])).not.toContain(id);
  expect(await Dynamo.get(ImageRow.key(id))).not.toHaveProperty("title");
});
