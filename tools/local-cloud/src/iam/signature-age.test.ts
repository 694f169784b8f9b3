import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Clock, createClock } from "../clock.ts";
import { signatureAge } from "./signature-age.ts";

// the real clock is set by hand, so that it can pass dates that only the moved clock has shown before
const start = Date.UTC(2026, 10, 21, 7);
const program = { accessKeyId: "AKIA", secretAccessKey: "s" };
const role = { accessKeyId: "ASIA", secretAccessKey: "s", sessionToken: "t" };
let clock: Clock;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: start });
  clock = createClock();
});
afterEach(() => void vi.useRealTimers());

const inSeconds = (signedAt: number, signer?: typeof program) => {
  const { age, skew } = signatureAge(clock)(signedAt, signer);
  return { age: age / 1000, skew: skew / 1000 };
};
const pass = (seconds: number) => void vi.setSystemTime(Date.now() + seconds * 1000);

test("a signature of a program outside is as old as the jumps since then make it, and its clock is right", async () => {
  const signedAt = Date.now();
  pass(5);
  await clock.advance(60_000);
  pass(5);
  for (const signer of [program, undefined])
    expect(inSeconds(signedAt, signer)).toEqual({ age: 70, skew: 10 });
});

test("a program whose clock is six minutes ahead is told so, wherever the moved clock is", async () => {
  for (const advanced of [0, 300, 60, 3, 86_400]) {
    await clock.advance(advanced * 1000);
    expect(inSeconds(Date.now() + 360_000, program)).toEqual({ age: -360, skew: -360 });
  }
});

test("a signature of a function has the age of the moved clock, also when the real clock has passed its date", async () => {
  await clock.advance(60_000);
  const signedAt = clock.now();
  pass(70);
  expect(inSeconds(signedAt, role)).toMatchObject({ age: 70 });
});

test("a function that began before a jump is not refused for its clock", async () => {
  await clock.advance(3_600_000);
  const begun = clock.now();
  await clock.advance(86_400_000);
  pass(2);
  for (const seen of [start, begun]) expect(inSeconds(seen, role).skew).toBe(2);
});
