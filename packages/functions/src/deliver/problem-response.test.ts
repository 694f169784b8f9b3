import { VisibleError } from "@balde/core/error";
import * as Request from "@balde/imaging/request";
import { Refusal } from "@balde/imaging/refusal";
import { expect, test, vi } from "vitest";

import * as ProblemResponse from "./problem-response.ts";
import * as Range from "@balde/http/range";

const answered = (error: unknown) => {
  const { status, headers, body } = ProblemResponse.create(error, "r-1");
  return { status, headers, problem: JSON.parse((body as Buffer).toString()) };
};

test("a query that is wrong is told parameter by parameter", () => {
  const { status, headers, problem } = answered(
    thrown(() => Request.parse({ w: ["0"], no: ["1"] })),
  );
  expect(status).toBe(400);
  expect(headers).toMatchObject({
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
  });
  expect(problem).toMatchObject({
    type: "about:blank",
    status: 400,
    code: "delivery.invalid_query",
    requestId: "r-1",
  });
  expect(problem.errors).toEqual([
    { parameter: "no", value: "1", detail: expect.stringContaining("allowed are") },
    { parameter: "w", value: "0", detail: expect.stringContaining("1..4096") },
  ]);
});

test.each([
  [new VisibleError("not_found", "image.not_found", "There is no image"), 404, undefined],
  [new VisibleError("unavailable", "delivery.busy", "Busy", { retryAfterSeconds: 1 }), 503, "1"],
  [new Refusal("unprocessable", "image.damaged", "Damaged"), 422, undefined],
  [new Refusal("unsupported", "image.heic", "HEIC"), 415, undefined],
])("%s", (error, status, retryAfter) => {
  const answer = answered(error);
  expect(answer.status).toBe(status);
  expect(answer.headers["Retry-After"]).toBe(retryAfter);
  expect(answer.problem).toMatchObject({ code: error.code, detail: error.message });
});

test("a range outside says how long the picture is", () => {
  const { status, headers } = answered(new Range.RangeNotSatisfiable(120));
  expect([status, headers["Content-Range"]]).toEqual([416, "bytes */120"]);
});

test("a bug is logged whole and tells nothing", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const error = new Error("secret key AKIA");
  const { status, problem } = answered(error);
  expect([status, problem.code]).toEqual([500, "internal"]);
  expect(JSON.stringify(problem)).not.toContain("AKIA");
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ error, requestId: "r-1" }));
  log.mockRestore();
});

function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
