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

test("a date of the real clock is as old as the jumps since then make it", async () => {
  const clock = createClock();
  const before = Date.now() - 5_000;
  await clock.advance(60_000);
  expect(Math.round(clock.sinceReal(before) / 1000)).toBe(65);
  // dates of signatures have no milliseconds: one of the second of the jump counts as read after it
  expect(clock.sinceReal(Math.floor(Date.now() / 1000) * 1000)).toBeLessThan(2_000);
});

test("a date in the future of the real clock stays in the future, however far the clock was advanced", async () => {
  const clock = createClock();
  const minutes = (ms: number) => Math.round(ms / 60_000);
  for (const advanced of [0, 5, 1, 4, 60 * 24]) {
    await clock.advance(advanced * 60_000);
    expect(minutes(clock.sinceReal(Date.now() + 6 * 60_000))).toBe(-6);
  }
});

test("the difference to a date is to the nearest time that the clock showed, with and without its jumps", async () => {
  const clock = createClock();
  const minutes = (ms: number) => Math.round(clock.differenceTo(Date.now() + ms) / 60_000);
  await clock.advance(60 * 60_000);
  await clock.advance(60 * 60_000);
  for (const shown of [0, 60, 120]) {
    expect(minutes(shown * 60_000)).toBe(0);
    expect(minutes((shown + 6) * 60_000)).toBe(-6);
    expect(minutes((shown - 6) * 60_000)).toBe(6);
  }
});

test("an aborted signal rejects a sleep at once", async () => {
  const clock = createClock();
  await expect(clock.sleep(60_000, AbortSignal.abort(new Error("stopped")))).rejects.toThrow(
    "stopped",
  );
});
