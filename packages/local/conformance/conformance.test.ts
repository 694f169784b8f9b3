import { afterAll, beforeAll, expect, test } from "vitest";

import { cases } from "./cases.ts";
import { type Fixture, startFixture } from "./fixture.ts";
import { run } from "./runner.ts";

let fixture: Fixture;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  ({ fixture, stop } = await startFixture());
});

afterAll(() => stop?.());

test("no two cases have one number, and every one says where it comes from", () => {
  const ids = cases().map(({ id }) => id);
  expect(ids.length).toBe(new Set(ids).size);
  expect(ids.length).toBeGreaterThanOrEqual(61);
  expect(cases().filter(({ evidence }) => !/^(V-(AWS|DOC|WILD)|design)/.test(evidence))).toEqual(
    [],
  );
});

for (const one of cases())
  test(`${one.id} ${one.says}`, async () => {
    expect(await run(one, fixture)).toEqual([]);
  });
