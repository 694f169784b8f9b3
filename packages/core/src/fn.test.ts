import { expect, test } from "vitest";
import * as z from "zod/mini";

import { fn } from "./fn.ts";

const verb = fn(
  z.strictObject({ tags: z.array(z.string().check(z.maxLength(3))), n: z._default(z.int(), 7) }),
  ({ n }) => n,
);

test("a verb answers what its body does, after the defaults of its schema", async () => {
  expect(await verb({ tags: [] })).toBe(7);
});

test("input that does not fit rejects, never throws, and says where and what is allowed", async () => {
  const answer = verb({ tags: ["ok", "longer"], "a/b": 1 } as never);
  await expect(answer).rejects.toMatchObject({
    kind: "invalid",
    code: "input.invalid",
    message: expect.stringContaining("/tags/1"),
    issues: [
      { pointer: "/tags/1", detail: expect.stringContaining("3") },
      { pointer: "/a~1b", detail: "is not known here" },
    ],
  });
});
