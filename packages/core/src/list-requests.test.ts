import { randomUUID } from "node:crypto";

import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, found } from "../test/samples.ts";
import * as Dynamo from "./dynamo.ts";
import * as Feed from "./feed.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as ImageTag from "./image-tag.ts";
import * as Image from "./image.ts";
import * as Like from "./like.ts";
import * as LikeRow from "./like.row.ts";

// Every list, over data that is made to be expensive, makes at most this many requests to the table for one page.
const MAX_REQUESTS = 10;

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

type Page = { items: unknown[]; next: string | null };
type List = (input: { limit: number; cursor?: string }) => Promise<Page>;

/** All items of a list. Each page is checked for the number of its requests, and the list for the number of its pages. */
async function readAll(list: List, limit: number, maxPages: number) {
  const items: unknown[] = [];
  let cursor: string | undefined;
  for (let pages = 1; ; pages++) {
    let page: Page | undefined;
    const requests = await cloud.tableRequests(async () => {
      page = await list({ limit, ...(cursor && { cursor }) });
    });
    expect(requests.length).toBeLessThanOrEqual(MAX_REQUESTS);
    expect(pages).toBeLessThanOrEqual(maxPages);
    items.push(...page!.items);
    if (!page!.next) return items;
    cursor = page!.next;
  }
}

const DAY_MS = 24 * 3600 * 1000;

type Sample = { days: number; tags: string[]; visibility: Image.Row["visibility"] };

/** Stores an image of this age as ingest does. A private one is still in the index, as it is for a moment after it was hidden. */
async function storeImage({ days, tags, visibility }: Sample, ownerId = "ann") {
  const createdAt = new Date(Date.now() - days * DAY_MS).toISOString();
  const id = Id.derive("image", Date.parse(createdAt), randomUUID());
  const row: ImageRow.Row = {
    ...found,
    id,
    ownerId,
    state: "ready",
    visibility,
    tags,
    createdAt,
    updatedAt: createdAt,
    version: 1,
  };
  await Dynamo.put({ item: { ...ImageRow.item(row), ...Feed.attributes(id) } });
  // the rows that it had while it was public
  const listed = { ...row, visibility: "public" as const };
  const tagRows = ImageTag.changes({ ...listed, tags: [] }, listed);
  if (tagRows.length > 0) await Dynamo.transact(tagRows);
  return id;
}

const storeImages = async (samples: Sample[]) => {
  const ids: Image.Info["id"][] = [];
  // not all at once: the connections of a process are limited
  for (let at = 0; at < samples.length; at += 20)
    ids.push(...(await Promise.all(samples.slice(at, at + 20).map((one) => storeImage(one)))));
  return ids;
};

const newestFirst = (ids: string[]) => ids.toSorted().toReversed();
const idsOf = (items: unknown[]) => items.map((item) => (item as Image.Info).id);

test("a page of the feed, with a tag or without, makes at most 10 requests: with 300 images without the tag, and after 400 days without an image", async () => {
  const others = Array.from({ length: 300 }, (_, n): Sample => ({
    days: n % 7,
    tags: ["other"],
    visibility: n % 10 === 0 ? "private" : "public",
  }));
  const old: Sample[] = [
    { days: 407, tags: ["rare"], visibility: "public" },
    { days: 900, tags: ["rare", "other"], visibility: "public" },
  ];
  const ids = await storeImages([...others, ...old]);
  const isPublic = (_id: string, n: number) => [...others, ...old][n]!.visibility === "public";
  const rare = ids.slice(-2);
  // the last page of the feed may be empty
  expect(idsOf(await readAll(Image.list, 24, 14))).toEqual(newestFirst(ids.filter(isPublic)));
  const tagged =
    (tag: string): List =>
    (input) =>
      Image.list({ ...input, tag });
  expect(idsOf(await readAll(tagged("rare"), 1, 2))).toEqual(newestFirst(rare));
  expect(idsOf(await readAll(tagged("rare"), 24, 1))).toEqual(newestFirst(rare));
  expect(await readAll(tagged("zzz"), 1, 1)).toEqual([]);
  const isOther = (_id: string, n: number) =>
    isPublic("", n) && [...others, ...old][n]!.tags.includes("other");
  expect(idsOf(await readAll(tagged("other"), 24, 14))).toEqual(newestFirst(ids.filter(isOther)));
}, 60_000);

test(
  "a page of any list makes at most 10 requests over random images and likes",
  () =>
    assert(
      asyncProperty(
        array(
          record({
            days: integer({ min: 0, max: 1_000 }),
            tags: constantFrom<string[]>([], ["sea"], ["sky"], ["sea", "sky"]),
            visibility: constantFrom("public" as const, "private" as const),
          }),
          { maxLength: 40 },
        ),
        integer({ min: 1, max: 100 }),
        async (samples, limit) => {
          const owner = randomUUID();
          const ids = await Promise.all(samples.map((sample) => storeImage(sample, owner)));
          const isPublic = (_id: string, n: number) => samples[n]!.visibility === "public";
          const everyImage = idsOf(await readAll(Image.list, limit, 400)).filter((id) =>
            ids.includes(id),
          );
          expect(everyImage).toEqual(newestFirst(ids.filter(isPublic)));
          const mine: List = (input) => as(owner, () => Image.listMine(input));
          expect(idsOf(await readAll(mine, limit, 50))).toEqual(newestFirst(ids));

          const liked = ids.slice(0, 10);
          const fans = Array.from({ length: 30 }, () => randomUUID());
          const [popular] = ids.filter(isPublic);
          const likes = [
            ...liked.map((id) => ({ id, userId: owner })),
            ...(popular ? fans.map((userId) => ({ id: popular, userId })) : []),
          ];
          await Promise.all(
            likes.map(({ id, userId }, n) =>
              Dynamo.put({ item: LikeRow.item(id, userId, new Date(n * 1000).toISOString()) }),
            ),
          );
          const myLikes: List = (input) => as(owner, () => Like.listMine(input));
          expect(await readAll(myLikes, limit, 50)).toHaveLength(liked.length);
          if (!popular) return;
          const likesOf: List = (input) => Like.list({ ...input, id: popular });
          const expected = fans.length + (liked.includes(popular) ? 1 : 0);
          expect(await readAll(likesOf, limit, 50)).toHaveLength(expected);
        },
      ),
      { numRuns: 6 },
    ),
  60_000,
);
