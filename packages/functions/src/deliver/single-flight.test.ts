import { expect, test } from "vitest";

import * as SingleFlight from "./single-flight.ts";

test("fifty who want the same at once have it made once", async () => {
  const once = SingleFlight.create<number>();
  let made = 0;
  const work = async () => {
    made += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return made;
  };
  const results = await Promise.all(Array.from({ length: 50 }, () => once("a", work)));
  expect(new Set(results)).toEqual(new Set([1]));
  expect(await once("a", work)).toBe(2);
});

test("who wants something else does not wait for it", async () => {
  const once = SingleFlight.create<string>();
  void once("slow", () => new Promise(() => {}));
  expect(await once("quick", async () => "done")).toBe("done");
});

test("an error reaches all who waited, and is not remembered", async () => {
  const once = SingleFlight.create<string>();
  const broken = () => Promise.reject(new Error("broken"));
  const all = await Promise.allSettled([once("a", broken), once("a", broken)]);
  expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await once("a", async () => "well")).toBe("well");
});

test("who comes before the result has landed gets it, too", async () => {
  let land = () => {};
  const landing = new Promise<void>((resolve) => (land = resolve));
  const once = SingleFlight.create<number>(() => landing);
  let made = 0;
  const work = async () => (made += 1);
  expect(await once("a", work)).toBe(1);
  expect(await once("a", work)).toBe(1);
  land();
  await new Promise(setImmediate);
  expect(await once("a", work)).toBe(2);
});
