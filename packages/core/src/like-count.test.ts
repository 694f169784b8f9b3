import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  context,
  integer,
  tuple,
} from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, likeChange, readyImage, storeLargeCount } from "../test/samples.ts";
import * as Erase from "./erase.ts";
import * as Dynamo from "./dynamo.ts";
import * as Image from "./image.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import * as Like from "./like.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

type ImageId = Image.Row["id"];

const people = ["ann", "bo", "cy", "di", "ed", "flo", "gus", "hal"] as const;
const clicks = array(tuple(constantFrom(...people), boolean()), { minLength: 1, maxLength: 15 });
const shownLikes = async (id: ImageId) => (await Image.get(id)).likes;

/** Clicks, and returns the people who like the image and the changes that the stream has, in its order. */
async function click(id: ImageId, clicked: [string, boolean][], firstNumber = 1n) {
  const fans = new Set<string>();
  const changes: LikeCount.Change[] = [];
  for (const [person, isLike] of clicked) {
    if (fans.has(person) !== isLike) {
      const sequenceNumber = firstNumber + BigInt(changes.length);
      changes.push(likeChange(id, person, isLike ? 1 : -1, sequenceNumber));
    }
    fans[isLike ? "add" : "delete"](person);
    await as(person, () => (isLike ? Like.put(id) : Like.remove(id)));
  }
  return { fans, changes };
}

/** What Lambda does with a stream: in order, and after a failed batch again from any earlier change on. */
function batchesWithRetries<Thing>(things: Thing[], seed: number): Thing[][] {
  let state = seed;
  const random = (below: number) => (state = (state * 48_271 + 11) % 2_147_483_647) % below;
  const batches: Thing[][] = [];
  for (let at = 0; at < things.length;) {
    const batch = things.slice(at, at + 1 + random(5));
    batches.push(batch);
    at = random(2) === 0 ? at + batch.length : at + random(batch.length);
  }
  return batches;
}

test.each([
  ["few", 0],
  ["very many", LikeRow.SHARD_COUNT * 5_000],
])(
  "the count of an image with %s likes is exact, in batches of any size, when Lambda repeats changes as it does after a failure",
  (_, likesBefore) =>
    assert(
      asyncProperty(
        clicks,
        integer({ min: 1, max: 1e9 }),
        context(),
        async (clicked, seed, log) => {
          const id = await readyImage();
          if (likesBefore > 0) await storeLargeCount(id);
          const { fans, changes } = await click(id, clicked, 999_999_999n);
          for (const batch of batchesWithRetries(changes, seed)) {
            log.log(JSON.stringify(batch));
            expect(await LikeCount.applyChanges(batch)).toEqual([]);
          }
          expect(await shownLikes(id)).toBe(likesBefore + fans.size);
        },
      ),
      { numRuns: 8 },
    ),
);

test("the count of several changes makes no request for each shard or change: one read and one write", async () => {
  const id = await readyImage();
  const { changes } = await click(
    id,
    people.map((person) => [person, true]),
  );
  expect(await cloud.tableRequests(() => LikeCount.applyChanges(changes))).toEqual([
    "GetItem",
    "PutItem",
  ]);
  expect(await shownLikes(id)).toBe(people.length);
});

test("changes that are applied at the same time are all counted", async () => {
  const id = await readyImage();
  const { changes } = await click(
    id,
    people.map((person) => [person, true]),
  );
  await Promise.all(changes.map((change) => LikeCount.applyChanges([change])));
  expect(await shownLikes(id)).toBe(people.length);
});

test("a lost change of a small shard is made good by the next one", async () => {
  const id = await readyImage();
  const names = Array.from({ length: 40 }, (_, n) => `p${n}`);
  const sameShard = names.filter((name) => shardOf(name) === shardOf("p0")).slice(0, 3);
  const { changes } = await click(
    id,
    sameShard.map((person) => [person, true]),
  );
  await LikeCount.applyChanges(changes.slice(-1));
  expect(await shownLikes(id)).toBe(3);
});

const shardOf = (person: string) =>
  LikeRow.parsePartition(LikeRow.key("img_01KAJ0000000000000000000AA", person).pk)!.shard;

test("the removed likes of an erased image create no count again", async () => {
  const id = await readyImage();
  const { changes } = await click(id, [["bo", true]]);
  await LikeCount.applyChanges(changes);
  await as("ann", () => Image.remove(id));
  await Erase.removeRows(id);
  const removed = likeChange(id, "bo", -1, 77n);
  expect(await LikeCount.applyChanges([...changes, removed])).toEqual([]);
  expect(await Dynamo.get(LikeCount.key(id))).toBeUndefined();
});

test("the counts of several images are read in one request, and erased ones are left out", async () => {
  const [first, second] = [await readyImage(), await readyImage()];
  const { changes } = await click(first, [["bo", true]]);
  await LikeCount.applyChanges(changes);
  const missing = "img_01KAJ0000000000000000000AA";
  let counts = new Map<string, number>();
  const requests = await cloud.tableRequests(async () => {
    counts = await LikeCount.getMany([first, second, missing]);
  });
  expect(requests).toEqual(["BatchGetItem"]);
  expect(Object.fromEntries(counts)).toEqual({ [first]: 1, [second]: 0 });
});
