import { sample, shuffledSubarray } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { cases } from "./cases.ts";
import { type Fixture, startFixture } from "./fixture.ts";
import { run } from "./runner.ts";

let fixture: Fixture;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  ({ fixture, stop } = await startFixture());
});

afterAll(() => stop?.());

test("every case has a unique title and a known evidence mark", () => {
  const titles = cases().map(({ title }) => title);
  expect(titles.length).toBe(new Set(titles).size);
  expect(titles.length).toBeGreaterThanOrEqual(220);
  const known = /^(V-(AWS|DOC|WILD)(\/V-(AWS|DOC|WILD)| RFC \d+)?|K|design)$/;
  expect(cases().filter(({ evidence }) => !known.test(evidence))).toEqual([]);
});

// each run has another order, so that a case that depends on an earlier one fails some day; the seed repeats the order
const seed = Number(process.env.CONFORMANCE_SEED ?? Date.now() % 1_000_000);

describe(`the cases in the order of CONFORMANCE_SEED=${seed}`, () => {
  const all = cases();
  const [shuffled] = sample(shuffledSubarray(all, { minLength: all.length }), { seed, numRuns: 1 });
  for (const one of shuffled!)
    test(`${one.title}`, async () => expect(await run(one, fixture)).toEqual([]));
});

test("the runner reports each kind of expectation that does not hold", async () => {
  const request = { path: "/t/echo?a=1", headers: [["x-a", "1"]] as [string, string][] };
  const complaintsOf = (expect: object) =>
    run(
      {
        title: "an expectation",
        evidence: "design",
        steps: [{ request, expect: { status: 200, ...expect } }],
      },
      fixture,
    );
  expect(await complaintsOf({ json: { "/headers/x-a": "1" } })).toEqual([]);
  const wrong = [
    { status: 404 },
    { headers: { "x-amzn-requestid": { $absent: true } } },
    { headers: { "content-type": { $startsWith: "text" } } },
    { json: { "/queryStringParameters": { a: "2" } } },
    { json: { "/httpMethod": { $matches: "^POST$" } } },
    { json: { "/nowhere": { $present: true } } },
    { json: { "": { $keys: ["path"] } } },
    { json: { "/path": { $sameAs: "/httpMethod" } } },
    { json: { "/requestContext/requestTimeEpoch": { $nowWithin: -1 } } },
    { json: { "/httpMethod": { $oneOf: ["PUT", "POST"] } } },
    { text: { $contains: "no such text" } },
    { base64: "" },
    { seconds: [60, 61] },
  ];
  for (const expected of wrong) expect(await complaintsOf(expected)).toHaveLength(1);
});
