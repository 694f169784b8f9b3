import { expect, test } from "vitest";

import { createClock } from "./clock.ts";

test("advancing the clock wakes the sleepers that are due, the earliest first", async () => {
  const clock = createClock();
  const woken: string[] = [];
  const sleeper = (name: string, ms: number) => clock.sleep(ms).then(() => void woken.push(name));
  const sleepers = [sleeper("late", 60_000), sleeper("early", 30_000)];
  const never = new AbortController();
  const beyond = clock.sleep(200_000, never.signal);
  await clock.advance(100_000);
  await Promise.all(sleepers);
  expect(woken).toEqual(["early", "late"]);
  never.abort(new Error("stopped"));
  await expect(beyond).rejects.toThrow("stopped");
});

test("the time of the clock is the real time and what it was advanced by", async () => {
  const clock = createClock();
  await clock.advance(60_000);
  const ahead = clock.now() - Date.now();
  expect(ahead).toBeGreaterThanOrEqual(60_000 - 5);
  expect(ahead).toBeLessThanOrEqual(60_000 + 5);
});

test("a real date of before a jump is as old as the jump makes it, a date of this clock is not", async () => {
  const clock = createClock();
  const signedAt = Date.now() - 5_000;
  await clock.advance(60_000);
  expect(Math.round(clock.since(signedAt) / 1000)).toBe(65);
  expect(Math.round(clock.since(clock.now()) / 1000)).toBe(0);
  // dates of signatures have no milliseconds: one of the second of the jump is new
  expect(clock.since(Math.floor(Date.now() / 1000) * 1000)).toBeLessThan(2_000);
});

test("an aborted signal rejects a sleep at once", async () => {
  const clock = createClock();
  await expect(clock.sleep(60_000, AbortSignal.abort(new Error("stopped")))).rejects.toThrow(
    "stopped",
  );
});
