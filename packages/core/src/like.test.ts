import { array, assert, asyncProperty, boolean, constantFrom, tuple } from "fast-check";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, likeChange, pendingImage, readyImage, storeLargeCount } from "../test/samples.ts";
import * as Dynamo from "./dynamo.ts";
import * as Id from "./id.ts";
import * as Image from "./image.ts";
import * as LikeCount from "./like-count.ts";
import * as Like from "./like.ts";
import * as SignedUrl from "./signed-url.ts";
import * as Upload from "./upload.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const people = ["ann", "bo", "cy", "di", "ed", "flo"] as const;

let sequenceNumber = 1_000n;
/** What the function that reads the table's stream does with one change. */
const applyChange = (id: Image.Info["id"], person: string, delta: 1 | -1) =>
  LikeCount.applyChanges([likeChange(id, person, delta, ++sequenceNumber)]);

const click = (id: Image.Info["id"], person: string, isLike: boolean) =>
  as(person, () => (isLike ? Like.put(id) : Like.remove(id)));

test("while the stream keeps up, a click returns the number of people who like the image, whatever was clicked before", () =>
  assert(
    asyncProperty(array(tuple(constantFrom(...people), boolean())), async (clicks) => {
      const id = await readyImage();
      const fans = new Set<string>();
      for (const [person, isLike] of clicks) {
        const isChange = fans.has(person) !== isLike;
        fans[isLike ? "add" : "delete"](person);
        expect(await click(id, person, isLike)).toEqual({ liked: isLike, likes: fans.size });
        if (isChange) await applyChange(id, person, isLike ? 1 : -1);
      }
      expect((await Image.get(id)).likes).toBe(fans.size);
    }),
    { numRuns: 10 },
  ));

test("a click makes exactly two requests to the table: one read of the image, its count and the user, and one write", async () => {
  const [few, many] = [await readyImage(), await readyImage()];
  await storeLargeCount(many);
  for (const id of [few, many]) {
    for (const person of ["ann", "ann", "bo"])
      expect(await cloud.tableRequests(() => click(id, person, true))).toEqual([
        "BatchGetItem",
        "PutItem",
      ]);
    for (const person of ["ann", "ann"])
      expect(await cloud.tableRequests(() => click(id, person, false))).toEqual([
        "BatchGetItem",
        "DeleteItem",
      ]);
  }
});

test("a click returns the stored count with itself, and a repeated click returns the stored count", async () => {
  const id = await readyImage();
  await storeLargeCount(id);
  const likes = async (isLike: boolean) => (await click(id, "ann", isLike)).likes;
  expect([await likes(true), await likes(true)]).toEqual([40_001, 40_000]);
  expect([await likes(false), await likes(false)]).toEqual([39_999, 40_000]);
});

test("the number of likes includes the user's own, and is never below 0, before the stream has counted", async () => {
  const id = await readyImage();
  expect(await click(id, "ann", true)).toEqual({ liked: true, likes: 1 });
  expect(await click(id, "ann", true)).toEqual({ liked: true, likes: 1 });
  expect(await click(id, "ann", false)).toEqual({ liked: false, likes: 0 });
});

test("five clicks of each of twenty people at once are twenty likes", async () => {
  const id = await readyImage();
  const everyone = Array.from({ length: 20 }, (_, n) => `p${n}`);
  const clicks = Array.from({ length: 5 }, () => everyone).flat();
  await Promise.all(clicks.map((person) => click(id, person, true)));
  await LikeCount.applyChanges(
    everyone.map((person) => likeChange(id, person, 1, ++sequenceNumber)),
  );
  expect(await click(id, "p0", true)).toEqual({ liked: true, likes: 20 });
});

test("the likes of an image are listed newest first, each person once", async () => {
  const id = await readyImage();
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  for (const person of people) {
    vi.setSystemTime(Date.now() + 1);
    await click(id, person, true);
  }
  // a second like keeps the time of the first one
  vi.setSystemTime(Date.now() + 1);
  await click(id, "ann", true);
  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await Like.list({ id, limit: 2, cursor: cursor ?? undefined });
    seen.push(...page.items.map(({ userId }) => userId));
    cursor = page.next;
  } while (cursor);
  expect(seen).toEqual(people.toReversed());
});

test("a person finds all of their likes, and those among some images", async () => {
  const [first, second, third] = [await readyImage(), await readyImage(), await readyImage()];
  await click(first, "gus", true);
  await click(third, "gus", true);
  await click(second, "bo", true);

  const ids = (page: { items: { imageId: string }[] }) => page.items.map(({ imageId }) => imageId);
  expect(ids(await as("gus", () => Like.listMine({})))).toEqual([third, first]);
  const among = { ids: [first, second, first] };
  expect(ids(await as("gus", () => Like.listMine(among)))).toEqual([first]);
});

test("a like needs a signed-in user and an image that exists and is ready; otherwise nothing is written", async () => {
  const id = await readyImage();
  const { id: pending } = await pendingImage();
  const missing = Id.create("image");
  await expect(Like.put(id)).rejects.toMatchObject({ kind: "unauthenticated" });
  const refused = [
    [missing, { code: "image.not_found" }],
    [pending, { kind: "conflict", code: "image.not_ready" }],
  ] as const;
  for (const [imageId, error] of refused)
    for (const isLike of [true, false]) {
      await expect(click(imageId, "ann", isLike)).rejects.toMatchObject(error);
      const mine = await as("ann", () => Like.listMine({ ids: [imageId] }));
      expect(mine.items).toEqual([]);
    }
  expect(await Dynamo.get(LikeCount.key(missing))).toBeUndefined();
});

/** The result of `call` with its requests to the table, and without the image's id. */
async function observe(id: string, call: () => Promise<unknown>) {
  let outcome: unknown;
  const requests = await cloud.tableRequests(async () => {
    outcome = await call().catch((error: Error & { code?: string }) => ({
      code: error.code,
      message: error.message.replaceAll(id, "ID"),
    }));
  });
  return { requests, outcome };
}

/** Everything that another user can ask about an image. */
const questions = (id: Image.Info["id"]): Record<string, () => Promise<unknown>> => ({
  get: () => Image.get(id),
  getMine: () => Image.getMine(id),
  update: () => Image.update({ id, title: "Mine" }),
  updateVersion: () => Image.update({ id, version: 1, title: "Mine" }),
  remove: () => Image.remove(id),
  likesOf: () => Like.list({ id, cursor: "no cursor" }),
  like: () => Like.put(id),
  unlike: () => Like.remove(id),
  myLikes: () => Like.listMine({ ids: [id] }),
  upload: () => Upload.get(id),
  urls: () => SignedUrl.create({ id, host: "example.test", urls: [{ query: {} }] }),
});

test("every question of another user about a private image is answered as about an absent one, after the same requests", async () => {
  const hidden = {
    private: await readyImage({ visibility: "private", name: "hidden.jpg" }),
    pending: (await pendingImage({ visibility: "private" })).id,
    deleted: await readyImage(),
  };
  await as("ann", () => Image.remove(hidden.deleted));
  const absent = Id.create("image");
  for (const question of Object.keys(questions(absent))) {
    const ask = (id: Image.Info["id"]) => as("bo", () => observe(id, questions(id)[question]!));
    const expected = await ask(absent);
    expect(expected.requests.length).toBeGreaterThan(0);
    for (const [kind, id] of Object.entries(hidden))
      expect({ question, kind, ...(await ask(id)) }).toEqual({ question, kind, ...expected });
  }
});

test("a like of an image that became private, or was deleted, is not listed and can be removed", async () => {
  const [shown, hidden, deleted] = [await readyImage(), await readyImage(), await readyImage()];
  for (const id of [shown, hidden, deleted]) {
    await click(id, "hal", true);
    await click(id, "ann", true);
  }
  await as("ann", () => Image.update({ id: hidden, visibility: "private" }));
  await as("ann", () => Image.remove(deleted));

  const listed = async (person: string, input: Parameters<typeof Like.listMine>[0]) =>
    (await as(person, () => Like.listMine(input))).items.map(({ imageId }) => imageId);
  const ids = [shown, hidden, deleted];
  expect(await listed("hal", {})).toEqual([shown]);
  expect(await listed("hal", { ids })).toEqual([shown]);
  // the owner sees the private image
  expect(await listed("ann", { ids })).toHaveLength(2);

  await expect(click(hidden, "hal", true)).rejects.toMatchObject({ code: "image.not_found" });
  for (const id of [hidden, deleted]) {
    expect(await click(id, "hal", false)).toEqual({ liked: false, likes: 0 });
    await expect(click(id, "hal", false)).rejects.toMatchObject({ code: "image.not_found" });
  }
  await as("ann", () => Image.update({ id: hidden, visibility: "public" }));
  expect(await listed("hal", { ids })).toEqual([shown]);
});
