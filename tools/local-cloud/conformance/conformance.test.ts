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

test("no two cases have one number, and every one says where it comes from", () => {
  const ids = cases().map(({ id }) => id);
  expect(ids.length).toBe(new Set(ids).size);
  expect(ids.length).toBeGreaterThanOrEqual(217);
  expect(cases().filter(({ evidence }) => !/^(V-(AWS|DOC|WILD)|K$|design)/.test(evidence))).toEqual(
    [],
  );
});

for (const one of cases())
  test(`${one.id} ${one.says}`, async () => {
    expect(await run(one, fixture)).toEqual([]);
  });

describe("the same cases asked again of the same fixture, the other way round", () => {
  for (const one of cases().toReversed())
    test(`${one.id} holds again`, async () => {
      expect(await run(one, fixture)).toEqual([]);
    });
});

test("the runner sees a fact that does not hold, whatever it is about", async () => {
  const request = { path: "/t/echo?a=1", headers: [["x-a", "1"]] as [string, string][] };
  const ask = (expect: object) =>
    run(
      {
        id: "none",
        says: "nothing true",
        evidence: "design",
        steps: [{ request, expect: { status: 200, ...expect } }],
      },
      fixture,
    );
  expect(await ask({ json: { "/headers/x-a": "1" } })).toEqual([]);
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
  for (const expected of wrong) expect(await ask(expected)).toHaveLength(1);
});
