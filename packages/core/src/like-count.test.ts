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
import { as, pretendThousandsLike, readyImage } from "../test/make.ts";
import * as Dynamo from "./dynamo.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as LikeCount from "./like-count.ts";
import * as LikeRow from "./like.row.ts";
import * as Like from "./like.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const people = ["ann", "bo", "cy", "di", "ed", "flo", "gus", "hal"] as const;
const clicks = array(tuple(constantFrom(...people), boolean()), { minLength: 1, maxLength: 15 });
const shown = async (id: Image.Row["id"]) => (await Image.get(id)).likes;

/** Clicks, and answers what the stream says of them, in its order. */
async function click(id: Image.Row["id"], clicked: [string, boolean][], from = 1n) {
  const fans = new Set<string>();
  const changes: LikeCount.Change[] = [];
  for (const [who, likes] of clicked) {
    if (fans.has(who) !== likes) {
      const { shard } = LikeRow.parsePartition(LikeRow.key(id, who).pk)!;
      const sequence = String(from + BigInt(changes.length));
      changes.push({ imageId: id, shard, sequence, by: likes ? 1 : -1 });
    }
    fans[likes ? "add" : "delete"](who);
    await as(who, () => (likes ? Like.put(id) : Like.remove(id)));
  }
  return { fans, changes };
}

/** Everything at least once, some of it again, in any order, in batches of any size. */
function shuffled<Thing>(things: Thing[], seed: number): Thing[][] {
  let state = seed;
  const random = (below: number) => (state = (state * 48_271 + 11) % 2_147_483_647) % below;
  const again = things.filter(() => random(2) === 0);
  const all = [...things, ...again]
    .map((thing) => ({ thing, at: random(1_000_000) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ thing }) => thing);
  const batches: Thing[][] = [];
  while (all.length > 0) batches.push(all.splice(0, 1 + random(5)));
  return batches;
}

test("L8: likes is the number of people who like an image, however often, in whatever order and batches the stream tells of it", () =>
  assert(
    asyncProperty(clicks, integer({ min: 1, max: 1e9 }), context(), async (clicked, seed, log) => {
      const id = await readyImage();
      const { fans, changes } = await click(id, clicked);
      for (const batch of shuffled(changes, seed)) {
        log.log(JSON.stringify(batch));
        expect(await LikeCount.tally(batch)).toEqual([]);
      }
      expect(await shown(id)).toBe(changes.length > 0 ? fans.size : 0);
    }),
    { numRuns: 12 },
  ));

test("two readers of the stream at once come to one number", async () => {
  const id = await readyImage();
  const { changes } = await click(
    id,
    people.map((who) => [who, true]),
  );
  await Promise.all(changes.map((change) => LikeCount.tally([change])));
  expect(await shown(id)).toBe(people.length);
});

test("on a picture that very many like, changes are added up: once each, and in order although they are repeated", () =>
  assert(
    asyncProperty(clicks, integer({ min: 1, max: 4 }), async (clicked, size) => {
      const id = await readyImage();
      await pretendThousandsLike(id);
      const { fans, changes } = await click(id, clicked, 999_999_999n);
      for (let at = 0; at < changes.length; at += size) {
        const batch = changes.slice(Math.max(0, at - 2), at + size);
        await LikeCount.tally(batch.toReversed());
        await LikeCount.tally(batch);
      }
      expect(await shown(id)).toBe(8 * 5_000 + fans.size);
    }),
    { numRuns: 8 },
  ));

test("a large shard that was not counted for long is counted anew, and drift is gone", async () => {
  const id = await readyImage();
  await pretendThousandsLike(id, Date.now() - 5_000 * 10);
  const { changes } = await click(id, [["ann", true]]);
  await LikeCount.tally(changes);
  expect(await shown(id)).toBe(7 * 5_000 + 1);
});

test("likes that go with an erased image bring no count back", async () => {
  const id = await readyImage();
  const { changes } = await click(id, [["bo", true]]);
  await LikeCount.tally(changes);
  await as("ann", () => Image.remove(id));
  await Ingest.erase(id);
  const removed = changes.map((change): LikeCount.Change => ({
    ...change,
    sequence: "77",
    by: -1,
  }));
  expect(await LikeCount.tally([...changes, ...removed])).toEqual([]);
  expect(await Dynamo.get({ pk: `IMAGE#${id}`, sk: "COUNT" })).toBeUndefined();
});
