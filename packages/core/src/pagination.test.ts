import { array, assert, asyncProperty, boolean, integer, tuple } from "fast-check";
import { expect, test } from "vitest";

import * as Pagination from "./pagination.ts";

const position = (n: number) => String(n).padStart(4, "0");

/** A list that returns `size` entries for each request, as DynamoDB does: after a full part it does not know whether it ends. */
const sourceOf =
  <Item>(entries: Pagination.Entry<Item>[], size: number): Pagination.Source<Item> =>
  async (before) => {
    const part = entries.filter((entry) => entry.position < before).slice(0, size);
    return { entries: part, reached: part.length === size ? part.at(-1)!.position : null };
  };

const numbersWithOrWithoutItem = array(tuple(integer({ min: 0, max: 999 }), boolean()), {
  maxLength: 60,
});
const size = integer({ min: 1, max: 9 });

test("pages of any length, from any number of lists that are read in parts, show every item once, in order, and then end", () =>
  assert(
    asyncProperty(
      numbersWithOrWithoutItem,
      size,
      size,
      size,
      integer({ min: 1, max: 3 }),
      async (numbers, listCount, limit, partSize, maxRounds) => {
        const unique = [...new Map(numbers)].toSorted(([a], [b]) => b - a);
        const entries = unique.map(([n, hasItem]): Pagination.Entry<number> => ({
          position: position(n),
          ...(hasItem && { item: n }),
        }));
        let reads = 0;
        const sources = Array.from({ length: listCount }, (_, index) => {
          const read = sourceOf(
            entries.filter((_entry, at) => at % listCount === index),
            partSize,
          );
          return (before: string) => (reads++, read(before));
        });
        const seen: number[] = [];
        let before: string | undefined;
        const positions: string[] = [];
        for (;;) {
          reads = 0;
          const page = await Pagination.takePage({ sources, before, limit, maxRounds });
          expect(reads).toBeLessThanOrEqual(listCount * maxRounds);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          if (page.nextPosition === null) break;
          before = page.nextPosition;
          positions.push(before);
        }
        // each page gets further, so that a client comes to the end
        expect(new Set(positions).size).toBe(positions.length);
        expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? 1 : -1)));
        expect(seen).toEqual(unique.filter(([, hasItem]) => hasItem).map(([n]) => n));
      },
    ),
  ));

test("a page without items has the position that was reached, and the next page starts there", async () => {
  const entries = [9, 8, 7, 6].map((n) => ({ position: position(n) }));
  const sources = [sourceOf<string>([...entries, { position: position(1), item: "last" }], 2)];
  const first = await Pagination.takePage({ sources, before: undefined, limit: 3, maxRounds: 2 });
  expect(first).toEqual({ items: [], nextPosition: position(6) });
  const before = first.nextPosition!;
  expect(await Pagination.takePage({ sources, before, limit: 3, maxRounds: 2 })).toEqual({
    items: ["last"],
    nextPosition: null,
  });
});

test.each([
  { shardCount: 4, limit: 24 },
  { shardCount: 8, limit: 24 },
  { shardCount: 8, limit: 100 },
])(
  "of $limit entries that are spread at random over $shardCount shards, hardly ever has one shard more than are read of each",
  ({ shardCount, limit }) => {
    const read = Pagination.entriesPerShard(limit, shardCount);
    const overflows = Array.from({ length: 2_000 }, () => {
      const counts = Array.from({ length: shardCount }, () => 0);
      for (let n = 0; n < limit; n++) counts[Math.floor(Math.random() * shardCount)]!++;
      return Math.max(...counts) >= read;
    }).filter(Boolean).length;
    expect(overflows).toBeLessThan(20);
  },
);
