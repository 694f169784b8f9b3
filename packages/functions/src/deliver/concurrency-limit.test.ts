import { expect, test } from "vitest";

import { createGate } from "./concurrency-limit.ts";

/** Works that end when they are told to. */
function works(count: number) {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const list = Array.from({ length: count }, (_, index) => async () => {
    started.push(index);
    await new Promise<void>((resolve) => (ends[index] = resolve));
    return index;
  });
  return { list, started, end: (index: number) => ends[index]?.() };
}

test("so many run, so many wait in order, the rest are refused at once", async () => {
  const pass = createGate({ running: 2, waiting: 2 });
  const { list, started, end } = works(5);
  const [a, b, c, d, e] = list.map((work) => pass(work));
  await expect(e).rejects.toMatchObject({
    code: "delivery.busy",
    kind: "unavailable",
    retryAfterSeconds: 1,
  });
  expect(started).toEqual([0, 1]);
  end(1);
  expect(await b).toBe(1);
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  end(0);
  end(2);
  expect(await Promise.all([a, c])).toEqual([0, 2]);
  end(3);
  expect(await d).toBe(3);
});

test("a work that fails makes room like any other", async () => {
  const pass = createGate({ running: 1, waiting: 0 });
  await expect(pass(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await pass(async () => "next")).toBe("next");
});
