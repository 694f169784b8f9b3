import { array, assert, asyncProperty, boolean, integer, tuple } from "fast-check";
import { expect, test } from "vitest";

import * as Pagination from "./pagination.ts";

async function* walk<Shown>(steps: Pagination.Step<Shown>[]) {
  yield* steps;
}

const position = (n: number) => String(n).padStart(4, "0");
const descending = array(tuple(integer({ min: 0, max: 999 }), boolean()), { maxLength: 60 });
const size = integer({ min: 1, max: 9 });

test("pages of any length and any budget show everything once, in order, and then end", () =>
  assert(
    asyncProperty(descending, size, size, size, async (numbers, walks, limit, budget) => {
      const unique = [...new Map(numbers)].toSorted(([a], [b]) => b - a);
      const steps = unique.map(([n, isShown]) => ({
        position: position(n),
        ...(isShown && { shown: n }),
      }));
      const after = (last: string | null) =>
        Array.from({ length: walks }, (_, index) =>
          walk(steps.filter((step, at) => at % walks === index && (!last || step.position < last))),
        );
      const seen: number[] = [];
      let last: string | null = null;
      do {
        const page: { shown: number[]; after: string | null } = await Pagination.take(
          Pagination.merge(after(last)),
          limit,
          budget,
        );
        expect(page.shown.length).toBeLessThanOrEqual(limit);
        seen.push(...page.shown);
        last = page.after;
      } while (last);
      expect(seen).toEqual(unique.filter(([, isShown]) => isShown).map(([n]) => n));
    }),
  ));

test("a page that is full asks for no more than one thing after it", async () => {
  let asked = 0;
  async function* counted() {
    for (let n = 99; n > 0; n--) {
      asked++;
      yield { position: position(n), shown: n };
    }
  }
  expect(await Pagination.take(counted(), 5)).toMatchObject({ after: position(95) });
  expect(asked).toBe(6);
});
