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

test("each kind has a status of its own between 400 and 599", () => {
  const statuses = Object.values(Problem.responses).map(({ status }) => status);
  expect(new Set(statuses).size).toBe(statuses.length);
  expect(statuses.every((status) => status >= 400 && status < 600)).toBe(true);
});
