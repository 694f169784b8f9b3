import { expect, test } from "vitest";

import { startTestMapping } from "./mapping.fixture.ts";

const started = (given: Partial<Parameters<typeof startTestMapping>[0]>) =>
  startTestMapping({ handler: () => null, ...given }).then(
    (world) => world.stop(),
    (error: Error) => error.message,
  );

test.each<[string, string, Partial<Parameters<typeof startTestMapping>[0]>]>([
  [
    "a visibility timeout shorter than the function's timeout",
    "visibility timeout of 30 s is less than the function's timeout of 60 s",
    { mapping: {}, inputs: { timeout: 60 } },
  ],
  [
    "a batch of more than ten messages without a batching window",
    "needs maximumBatchingWindowInSeconds",
    { mapping: { batchSize: 11 } },
  ],
])("AWS refuses %s, so the start stops", async (_, words, given) => {
  expect(await started(given)).toContain(words);
});
