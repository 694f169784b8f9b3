import { array, assert, asyncProperty, boolean, constantFrom, tuple } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, pendingImage, pretendCrowd, pretendThousandsLike, readyImage } from "../test/make.ts";
import * as Id from "./id.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import * as Like from "./like.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

/** Enough people for every shard. */
const crowd = Array.from({ length: 24 }, (_, n) => `c${n}`);
const people = ["ann", "bo", "cy", "di", "ed", "flo"] as const;

test("a click answers the number of people who like the image now, whatever was clicked before", () =>
  assert(
    asyncProperty(array(tuple(constantFrom(...people), boolean())), async (clicks) => {
      const id = await readyImage();
      const fans = new Set<string>();
      for (const [who, likes] of clicks) {
        fans[likes ? "add" : "delete"](who);
        const answer = await as(who, () => (likes ? Like.put(id) : Like.remove(id)));
        expect(answer).toEqual({ liked: likes, likes: fans.size });
      }
    }),
    { numRuns: 10 },
  ));

test("five clicks of each of twenty people at once are twenty likes", async () => {
  const id = await readyImage();
  for (let round = 0; round < 5; round++) {
    const all = Array.from({ length: 20 }, (_, n) => as(`p${n}`, () => Like.put(id)));
    await Promise.all(all);
  }
  expect(await as("p0", () => Like.put(id))).toEqual({ liked: true, likes: 20 });
});

test("on a picture that thousands like, the answer includes the click, and a second click changes nothing", async () => {
  const id = await readyImage();
  await pretendThousandsLike(id);
  const put = () => as("ann", () => Like.put(id));
  const remove = () => as("ann", () => Like.remove(id));
  expect([await put(), await put()].map(({ likes }) => likes)).toEqual([40_001, 40_000]);
  expect([await remove(), await remove()].map(({ likes }) => likes)).toEqual([39_999, 40_000]);
});

test("in a crowd a click is answered with itself, exactly while the stream keeps up, and a second click too", () =>
  assert(
    asyncProperty(
      array(tuple(constantFrom(...crowd), boolean()), { minLength: 3, maxLength: 6 }),
      async (clicks) => {
        const id = await readyImage();
        const fans = new Set<string>(crowd);
        let sequence = 1_000n;
        const tell = (who: string, by: 1 | -1) => {
          const { shard } = LikeRow.parsePartition(LikeRow.key(id, who).pk)!;
          return LikeCount.tally([{ imageId: id, shard, sequence: String(++sequence), by }]);
        };
        for (const who of crowd) await as(who, () => Like.put(id));
        for (const who of crowd) await tell(who, 1);
        for (const [who, likes] of clicks) {
          const isChange = fans.has(who) !== likes;
          fans[likes ? "add" : "delete"](who);
          const answer = await as(who, () => (likes ? Like.put(id) : Like.remove(id)));
          expect(answer).toEqual({ liked: likes, likes: fans.size });
          if (isChange) await tell(who, likes ? 1 : -1);
          // what is believed of a crowd is as old as this
          await new Promise((resolve) => setTimeout(resolve, 260));
        }
      },
    ),
    { numRuns: 2 },
  ));

test("in a crowd a click is one write of the table: nothing is counted for it, and not every one reads", async () => {
  const id = await readyImage();
  await pretendCrowd(id, 480);
  const clickers = crowd.slice(0, 8);
  const calls = await cloud.callsOfTable(async () => {
    for (const who of clickers)
      // each knows that he is one more than there were
      expect(await as(who, () => Like.put(id))).toEqual({ liked: true, likes: 481 });
  });
  const times = (operation: string) => calls.filter((call) => call === operation).length;
  expect(new Set(calls)).toEqual(new Set(["BatchGetItem", "PutItem"]));
  expect(times("PutItem")).toBe(clickers.length);
  expect(times("BatchGetItem")).toBeLessThan(clickers.length);
  // the rows say how many there really are: who clicks twice is told so
  expect(await as(clickers[0]!, () => Like.put(id))).toEqual({ liked: true, likes: 8 });
});

test("when a crowd has gone, the next click counts again", async () => {
  const id = await readyImage();
  await pretendCrowd(id, 480, Date.now() - 3_000);
  expect(await as("ann", () => Like.put(id))).toEqual({ liked: true, likes: 1 });
});

test("who likes an image is listed newest first, without gaps and without anybody twice", async () => {
  const id = await readyImage();
  for (const who of people) {
    await as(who, () => Like.put(id));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  // who likes again did so when he did
  await as("ann", () => Like.put(id));
  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await Like.list({ id, limit: 2, cursor: cursor ?? undefined });
    seen.push(...page.items.map(({ userId }) => userId));
    cursor = page.next;
  } while (cursor);
  expect(seen).toEqual(people.toReversed());
});

test("a person finds what he likes, all of it and among some", async () => {
  const [first, second, third] = [await readyImage(), await readyImage(), await readyImage()];
  await as("gus", () => Like.put(first));
  await as("gus", () => Like.put(third));
  await as("bo", () => Like.put(second));

  const ids = (page: { items: { imageId: string }[] }) => page.items.map(({ imageId }) => imageId);
  expect(ids(await as("gus", () => Like.mine({})))).toEqual([third, first]);
  expect(ids(await as("gus", () => Like.mine({ ids: [first, second, first] })))).toEqual([first]);
});

test("nobody likes anything, and nobody likes what is not there or not ready", async () => {
  const id = await readyImage();
  await expect(Like.put(id)).rejects.toMatchObject({ kind: "unauthenticated" });
  await expect(as("ann", () => Like.put(Id.create("image")))).rejects.toMatchObject({
    code: "image.not_found",
  });
  const { id: pending } = await pendingImage();
  await expect(as("ann", () => Like.put(pending))).rejects.toMatchObject({
    kind: "conflict",
    code: "image.not_ready",
  });
});
