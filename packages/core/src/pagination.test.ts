import { array, assert, asyncProperty, boolean, integer, tuple } from "fast-check";
import { expect, test } from "vitest";

import * as Pagination from "./pagination.ts";

async function* listOf<Item>(entries: Pagination.Entry<Item>[]) {
  yield* entries;
}

const position = (n: number) => String(n).padStart(4, "0");
const numbersWithOrWithoutItem = array(tuple(integer({ min: 0, max: 999 }), boolean()), {
  maxLength: 60,
});
const size = integer({ min: 1, max: 9 });

test("pages of any length and any number of entries show every item once, in order, and then end", () =>
  assert(
    asyncProperty(
      numbersWithOrWithoutItem,
      size,
      size,
      size,
      async (numbers, listCount, limit, maxEntries) => {
        const unique = [...new Map(numbers)].toSorted(([a], [b]) => b - a);
        const entries = unique.map(([n, hasItem]): Pagination.Entry<number> => ({
          position: position(n),
          ...(hasItem && { item: n }),
        }));
        const listsAfter = (last: string | null) =>
          Array.from({ length: listCount }, (_, index) =>
            listOf(
              entries.filter(
                (entry, at) => at % listCount === index && (!last || entry.position < last),
              ),
            ),
          );
        const seen: number[] = [];
        let last: string | null = null;
        do {
          const page: { items: number[]; nextPosition: string | null } = await Pagination.takePage(
            Pagination.mergeNewestFirst(listsAfter(last)),
            limit,
            maxEntries,
          );
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          last = page.nextPosition;
        } while (last);
        expect(seen).toEqual(unique.filter(([, hasItem]) => hasItem).map(([n]) => n));
      },
    ),
  ));

test("a full page reads at most one entry after its last item", async () => {
  let read = 0;
  async function* counted() {
    for (let n = 99; n > 0; n--) {
      read++;
      yield { position: position(n), item: n };
    }
  }
  expect(await Pagination.takePage(counted(), 5)).toMatchObject({ nextPosition: position(95) });
  expect(read).toBe(6);
});
