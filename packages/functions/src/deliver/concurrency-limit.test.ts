import { expect, test } from "vitest";

import { createConcurrencyLimit } from "./concurrency-limit.ts";

test("two callers run, two wait in order, and a fifth is refused at once", async () => {
  const limit = createConcurrencyLimit({ maxRunning: 2, maxWaiting: 2 });
  const running: string[] = [];
  const turn = async (name: string) => {
    const release = await limit.acquire();
    running.push(name);
    return release;
  };
  const releaseA = await turn("a");
  const releaseB = await turn("b");
  const [c, d] = [turn("c"), turn("d")];
  await expect(limit.acquire()).rejects.toMatchObject({
    code: "delivery.busy",
    kind: "unavailable",
    retryAfterSeconds: 1,
  });
  expect(running).toEqual(["a", "b"]);
  releaseB();
  const releaseC = await c;
  expect(running).toEqual(["a", "b", "c"]);
  releaseA();
  (await d)();
  releaseC();
  expect(running).toEqual(["a", "b", "c", "d"]);
});

test("a caller that comes when a turn ends does not overtake a caller that waits", async () => {
  const limit = createConcurrencyLimit({ maxRunning: 1, maxWaiting: 2 });
  const order: string[] = [];
  const release = await limit.acquire();
  const turn = async (name: string) => {
    const end = await limit.acquire();
    order.push(name);
    end();
  };
  const waiting = turn("waited");
  release();
  await Promise.all([turn("came later"), waiting]);
  expect(order).toEqual(["waited", "came later"]);
});
