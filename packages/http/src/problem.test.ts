import { expect, test } from "vitest";

import * as Problem from "./problem.ts";

test("a problem has the status and title of its kind, and no empty list of errors", () => {
  const error = { code: "image.not_found", message: "There is no image img_1" };
  expect(Problem.create("not_found", error, "id-1")).toEqual({
    type: "about:blank",
    title: "Not found",
    status: 404,
    detail: "There is no image img_1",
    code: "image.not_found",
    requestId: "id-1",
  });
});

test("a problem is small, whatever it is made of, and lists ten errors at most", () => {
  const long = "🐟\\\u0000".repeat(100_000);
  const errors = Array.from({ length: 1_500 }, (_, n) =>
    n % 2 === 0
      ? { pointer: `#/${n}${long}`, detail: long }
      : { parameter: `${n}${long}`, value: long, detail: long },
  );
  const problem = Problem.create("invalid", { code: "a.b", message: long }, "id-1", errors);
  expect(problem.errors).toHaveLength(10);
  expect(problem.errors?.[1]).toMatchObject({ parameter: expect.stringMatching(/^1🐟/) });
  expect(problem.detail).toMatch(/ \(1490 more errors are not listed\)$/);
  const text = JSON.stringify(problem);
  expect(Buffer.byteLength(text)).toBeLessThan(64_000);
  expect(text).not.toMatch(/\\ud[89a-f]/);
});

test("each kind of error has its status", () => {
  const statuses = Object.entries(Problem.responses).map(([kind, { status }]) => [kind, status]);
  expect(Object.fromEntries(statuses)).toEqual({
    invalid: 400,
    unauthenticated: 401,
    forbidden: 403,
    not_found: 404,
    conflict: 409,
    gone: 410,
    precondition_failed: 412,
    too_large: 413,
    unsupported: 415,
    unprocessable: 422,
    precondition_required: 428,
    limited: 429,
    unavailable: 503,
  });
});

test("the problems of a bug and of a range have their status and code", () => {
  expect(Problem.internal("id-1")).toMatchObject({ status: 500, code: "internal" });
  expect(Problem.rangeNotSatisfiable(10, "id-1")).toMatchObject({
    status: 416,
    code: "delivery.bad_range",
    detail: "The range starts after the last byte; the image has 10 bytes",
  });
});
