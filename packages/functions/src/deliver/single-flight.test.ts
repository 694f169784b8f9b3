import { expect, test } from "vitest";

import * as SingleFlight from "./single-flight.ts";

test("fifty concurrent calls with one key run the work once", async () => {
  const share = SingleFlight.create<number>();
  const result = Promise.withResolvers<number>();
  let runs = 0;
  const work = () => {
    runs += 1;
    return result.promise;
  };
  const all = Promise.all(Array.from({ length: 50 }, () => share("a", work)));
  result.resolve(7);
  expect(new Set(await all)).toEqual(new Set([7]));
  expect(runs).toBe(1);
  await share("a", work);
  expect(runs).toBe(2);
});

test("calls with different keys do not wait for each other", async () => {
  const share = SingleFlight.create<string>();
  void share("slow", () => new Promise(() => {}));
  expect(await share("quick", async () => "done")).toBe("done");
});

test("an error reaches all calls that share the work, and is not remembered", async () => {
  const share = SingleFlight.create<string>();
  const broken = () => Promise.reject(new Error("broken"));
  const all = await Promise.allSettled([share("a", broken), share("a", broken)]);
  expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await share("a", async () => "done")).toBe("done");
});

test("a flight lasts until what follows its result is settled", async () => {
  const following = Promise.withResolvers<void>();
  const share = SingleFlight.create<number>(() => following.promise);
  let runs = 0;
  const work = async () => (runs += 1);
  expect(await share("a", work)).toBe(1);
  expect(await share("a", work)).toBe(1);
  following.resolve();
  await new Promise(setImmediate);
  expect(await share("a", work)).toBe(2);
});
