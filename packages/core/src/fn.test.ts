import { expect, test } from "vitest";
import * as z from "zod/mini";

import { fn } from "./fn.ts";

const checked = fn(
  z.strictObject({ tags: z.array(z.string().check(z.maxLength(3))), n: z._default(z.int(), 7) }),
  ({ n }) => n,
);

test("the body gets the input with the defaults of the schema, and its result is the result", async () => {
  expect(await checked({ tags: [] })).toBe(7);
});

test("input that does not fit rejects and never throws, and the error says where and what is allowed", async () => {
  const result = checked({ tags: ["ok", "longer"], "a/b": 1 } as never);
  await expect(result).rejects.toMatchObject({
    kind: "invalid",
    code: "input.invalid",
    message: expect.stringContaining("/tags/1"),
    issues: [
      { pointer: "/tags/1", detail: expect.stringContaining("3") },
      { pointer: "/a~1b", detail: "is not known here" },
    ],
  });
});
