import { setTimeout as sleep } from "node:timers/promises";

import { array, assert, asyncProperty, constantFrom, integer, tuple } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";

import { startCloud } from "../test/cloud.ts";
import { as, found, pendingImage, readyImage } from "../test/samples.ts";
import { loseAnswer } from "../test/table-proxy.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as ImageTag from "./image-tag.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as Like from "./like.ts";
import * as SignedUrl from "./signed-url.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

type List = (input: { limit?: number; cursor?: string }) => Promise<Image.Page>;

/** The ids of all pages of a list; `limits` are the lengths of its pages, in turn. */
async function listAll(list: List, limits: number[] = [3]) {
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

/** The row of an image that was created and made ready at this time, as ingest writes it. */
async function readyImageAt(timeMs: number, tags: string[]) {
  const id = Id.derive("image", timeMs, Id.create("image"));
  const at = new Date(timeMs).toISOString();
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
  await Dynamo.put({ item: { ...ImageRow.item(row), ...Feed.attributes(id) } });
  await Dynamo.transact(ImageTag.changes({ ...row, tags: [] }, row));
  return id;
}

test("pages of any length show every image once, newest first, over any number of days, also with a tag", async () => {
  const ids = new Map<string, string[]>();
  const hour = 3600 * 1000;
  const images = array(tuple(integer({ min: 0, max: 6 * 24 }), constantFrom("sea", "sky")), {
    maxLength: 12,
  });
  await assert(
    asyncProperty(
      images,
      array(integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
      async (made, limits) => {
        for (const [hours, tag] of made)
          ids.set(await readyImageAt(Date.now() - hours * hour, [tag]), [tag]);
        expect(await listAll(Image.list, limits)).toEqual(newestFirst([...ids.keys()]));
        const sea = [...ids].filter(([, tags]) => tags.includes("sea")).map(([id]) => id);
        const tagged: List = (input) => Image.list({ ...input, tag: "Sea" });
        expect(await listAll(tagged, limits)).toEqual(newestFirst(sea));
      },
    ),
    { numRuns: 8 },
  );
}, 120_000);

test("an image that becomes ready while a client reads pages does not move the others", async () => {
  const before = await listAll(Image.list);
  const first = await Image.list({ limit: 2 });
  const late = await readyImage();
  const rest = await listAll(({ cursor, ...input }) =>
    Image.list({ ...input, cursor: cursor ?? first.next! }),
  );
  expect([...first.items.map(({ id }) => id), ...rest]).toEqual(before);
  expect((await Image.list({ limit: 1 })).items).toMatchObject([{ id: late }]);
});

test("a cursor of one list is invalid for another list", async () => {
  await readyImage();
  await readyImage();
  const { next } = await Image.list({ limit: 1 });
  const refused = { kind: "invalid", code: "cursor.invalid" };
  await expect(Image.list({ tag: "sea", cursor: next! })).rejects.toMatchObject(refused);
  const mine = as("ann", () => Image.listMine({ cursor: next! }));
  await expect(mine).rejects.toMatchObject(refused);
});

test("the public list has only ready images; the owner's list has images in every state", async () => {
  const pending = await pendingImage({}, "olga");
  const rejected = await pendingImage({}, "olga");
  const rejecting = (await Ingest.startProcessing({ id: rejected.id, sequencer: "01" }))!;
  await Ingest.markRejected({ id: rejected.id, sequencer: "01" }, rejecting, {
    code: "a.b",
    detail: "No",
  });
  const ready = await readyImage({}, "olga");

  const shown = await listAll(Image.list, [100]);
  expect(shown).toContain(ready);
  expect(shown).not.toContain(pending.id);
  expect(shown).not.toContain(rejected.id);
  const mine: List = (input) => as("olga", () => Image.listMine(input));
  expect(await listAll(mine, [2])).toEqual(newestFirst([pending.id, rejected.id, ready]));
  // a client that knows the id can wait for the result
  expect(await Image.get(rejected.id)).toMatchObject({
    state: "rejected",
    reason: { code: "a.b", detail: "No" },
  });
});

test("a tag is found in any Unicode form, whichever form it was saved in", async () => {
  const [decomposed, composed] = ["fe\u0301rias", "f\u00e9rias"];
  const ids = [
    await readyImage({ tags: [composed] }, "tagger"),
    await readyImage({ tags: [decomposed] }, "tagger"),
    await readyImage({}, "tagger"),
  ];
  await as("tagger", () => Image.update({ id: ids[2]!, tags: [decomposed.toUpperCase()] }));
  for (const tag of [composed, decomposed]) {
    const { items } = await Image.list({ tag });
    expect(items.map(({ id }) => id)).toEqual(ids.toReversed());
  }
  const texts = { title: decomposed, alt: decomposed };
  const updated = await as("tagger", () => Image.update({ id: ids[0]!, ...texts }));
  expect(updated).toMatchObject({ title: composed, alt: composed });
});

test("a file name of which nothing is left is cleared", async () => {
  const id = await readyImage({ fileName: "a.jpg" });
  const cleared = await as("ann", () => Image.update({ id, fileName: ".." }));
  expect(cleared).not.toHaveProperty("fileName");
});

test("a change with a version is refused if the image has another version, and makes the next version", async () => {
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

test("only the owner changes or removes an image, and no field that the server decides can be changed", async () => {
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

test.each(["\ud83d", "a\udc1fb", "a\u0000"])(
  "the text %j is refused in title and alternative text, because it cannot be stored",
  async (text) => {
    const id = await readyImage();
    for (const field of ["title", "alt"])
      await expect(as("ann", () => Image.update({ id, [field]: text }))).rejects.toMatchObject({
        code: "input.invalid",
        issues: [{ pointer: `/${field}`, detail: expect.stringContaining("unpaired surrogates") }],
      });
    expect(await as("ann", () => Image.update({ id, title: "🐟" }))).toMatchObject({ title: "🐟" });
  },
);

test("a private image is not found for other users, by any function", async () => {
  const id = await readyImage({ visibility: "private" });
  const gone = { kind: "not_found", code: "image.not_found" };
  const functions: (() => Promise<unknown>)[] = [
    () => Image.get(id),
    () => Image.getMine(id),
    () => Image.update({ id, title: "x" }),
    () => Image.remove(id),
    () => Like.put(id),
    () => Like.remove(id),
    () => Like.list({ id }),
    () => SignedUrl.create({ id, host: "a", urls: [{ query: {} }] }),
  ];
  for (const call of functions) await expect(as("bo", call)).rejects.toMatchObject(gone);
  // public functions return the same for everyone, also for the owner, so that caches may keep it
  await expect(as("ann", () => Image.get(id))).rejects.toMatchObject(gone);
  await expect(as("ann", () => Like.list({ id }))).rejects.toMatchObject(gone);
  expect(await listAll(Image.list, [100])).not.toContain(id);

  expect(await as("ann", () => Image.getMine(id))).toMatchObject({ id, visibility: "private" });
  expect(await as("ann", () => Like.put(id))).toEqual({ liked: true, likes: 1 });
  expect(await as("ann", () => Image.update({ id, title: "Mine" }))).toMatchObject({
    title: "Mine",
    visibility: "private",
  });
});

test("a change of visibility adds the image to the feed or removes it", async () => {
  const id = await readyImage({ name: "visible.jpg" });
  const set = (visibility: "public" | "private") =>
    as("ann", () => Image.update({ id, visibility }));
  for (const visibility of ["private", "public", "private", "public"] as const) {
    expect(await set(visibility)).toMatchObject({ visibility });
    expect(await isInFeed(id)).toBe(visibility === "public");
  }
});

/** True if the list has the image; its row must have the attributes of the index then, and only then. */
async function isInFeed(id: Image.Info["id"]) {
  const isListed = (await listAll(Image.list, [100])).includes(id);
  const item = await Dynamo.get(ImageRow.key(id));
  expect(item?.["gsi2sk"]).toBe(isListed ? id : undefined);
  return isListed;
}

test(
  "whenever the visibility changes while an image is made ready, the image is in the feed if and only if it is public",
  () =>
    assert(
      asyncProperty(array(integer({ min: 0, max: 12 }), { maxLength: 4 }), async (moments) => {
        const { id } = await pendingImage();
        const upload = { id, sequencer: "01" };
        const image = (await Ingest.startProcessing(upload))!;
        const changes = moments
          .toSorted((a, b) => a - b)
          .map(async (moment, index) => {
            await sleep(moment);
            const visibility = index % 2 === 0 ? "private" : "public";
            await as("ann", () => Image.update({ id, visibility }));
          });
        await Promise.all([Ingest.markReady(upload, image, found), ...changes]);
        const { state, visibility } = (await Image.findRow(id))!;
        expect(state).toBe("ready");
        const item = await Dynamo.get(ImageRow.key(id));
        expect(item?.["gsi2sk"]).toBe(visibility === "public" ? id : undefined);
      }),
      { numRuns: 15 },
    ),
  120_000,
);

test("a removed image is not found and not listed at once, and each removal counts a version of its row", async () => {
  const id = await readyImage();
  await as("ann", () => Image.remove(id));
  const { version } = await Ingest.readRow(id);
  await as("ann", () => Image.remove(id));
  expect((await Ingest.readRow(id)).version).toBe(version! + 1);
  await expect(Image.get(id)).rejects.toMatchObject({ code: "image.not_found" });
  await expect(as("bo", () => Image.remove(id))).rejects.toMatchObject({ kind: "not_found" });
  await expect(as("ann", () => Image.update({ id, alt: "x" }))).rejects.toMatchObject({
    kind: "not_found",
  });
  expect(await listAll(Image.list, [100])).not.toContain(id);
  expect(await listAll((input) => as("ann", () => Image.listMine(input)), [100])).not.toContain(id);
});

type Changes = z.infer<typeof Image.Changes>;
type Field = keyof Changes;

/** For each field: a value to write, the value that clears it, and what an image has then. */
const samples: {
  [Name in Field]-?: { value: Changes[Name]; clear: Changes[Name]; cleared: unknown };
} = {
  visibility: { value: "private", clear: "public", cleared: "public" },
  fileName: { value: "IMG_0001.jpg", clear: null, cleared: undefined },
  title: { value: "Pier", clear: null, cleared: undefined },
  alt: { value: "A pier in the fog", clear: null, cleared: undefined },
  tags: { value: ["sea"], clear: [], cleared: [] },
};

// A field that is added to a schema but not to the code fails here with its name.
test.each(Object.keys(Image.Changes.shape) as Field[])(
  "the field %s can be changed and cleared, is returned, and is gone from a tombstone",
  async (field) => {
    const sample = samples[field];
    expect(sample, `add a sample of "${field}" to this test`).toBeDefined();
    const id = await readyImage();
    const update = (value: unknown) => as("ann", () => Image.update({ id, [field]: value }));
    const stored = async () => (await as("ann", () => Image.getMine(id)))[field];

    expect((await update(sample.value))[field]).toEqual(sample.value);
    expect(await stored()).toEqual(sample.value);
    expect((await update(sample.clear))[field]).toEqual(sample.cleared);
    expect(await stored()).toEqual(sample.cleared);
    const isOptional = z.safeParse(Image.Info.shape[field], undefined).success;
    const canBeNull = z.safeParse(Image.Changes, { [field]: null }).success;
    expect(canBeNull, `null must clear "${field}" if an image can be without it`).toBe(isOptional);

    await update(sample.value);
    await as("ann", () => Image.remove(id));
    expect(await Dynamo.get(ImageRow.key(id))).not.toHaveProperty(field);
  },
);

/** A row with a value for every attribute. */
const completeRow: Omit<Required<ImageRow.Row>, "id" | "expiresAt"> = {
  ...found,
  ownerId: "ann",
  state: "ready",
  visibility: "public",
  name: "complete.jpg",
  fileName: "férias na praia.jpg",
  title: "Pier",
  alt: "A pier in the fog",
  tags: ["sea"],
  credit: { artist: "Ann", copyright: "Ann 2026" },
  reason: { code: "a.b", detail: "No" },
  upload: { sha256: "0".repeat(64), multipart: { id: "x", partBytes: 1 } },
  sequencer: "01",
  attempts: 1,
  uploadTag: "9 abc",
  createdAt: "2026-11-21T12:00:00.000Z",
  updatedAt: "2026-11-21T12:00:00.000Z",
  version: 3,
};

test("a tombstone has the attributes of the list of what it keeps, and no others", async () => {
  const id = Id.create("image");
  const row: Required<ImageRow.Row> = { ...completeRow, id, expiresAt: 4_000_000_000 };
  for (const name of Object.keys(ImageRow.Row.shape))
    expect(row, `add a value of "${name}" to this test`).toHaveProperty(name);
  await Dynamo.put({ item: { ...ImageRow.item(row), ...Feed.attributes(id) } });

  await as("ann", () => Image.remove(id));
  const tombstone = await Dynamo.get(ImageRow.key(id));
  expect(new Set(Object.keys(tombstone!))).toEqual(
    new Set(["pk", "sk", ...Object.keys(ImageRow.tombstoneAttributes)]),
  );
  expect(tombstone).toMatchObject({ state: "deleted", ownerId: "ann", name: "complete.jpg" });
});

test("a change whose answer is lost is made once, and is no conflict with itself", async () => {
  const id = await readyImage();
  const { version } = await Image.get(id);
  // the second request is the write
  await loseAnswer(2);
  const changed = await as("ann", () => Image.update({ id, version, title: "New" }));
  expect(changed).toMatchObject({ title: "New", version: version + 1 });
  expect(await Image.get(id)).toMatchObject({ title: "New", version: version + 1 });
});
