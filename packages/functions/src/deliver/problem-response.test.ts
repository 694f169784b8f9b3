import { AwsError } from "@balde/core/aws-request";
import { VisibleError } from "@balde/core/error";
import * as Range from "@balde/http/range";
import * as Request from "@balde/imaging/request";
import { Refusal } from "@balde/imaging/refusal";
import { expect, test, vi } from "vitest";

import * as ProblemResponse from "./problem-response.ts";

const responseTo = (error: unknown) => {
  const { status, headers, body } = ProblemResponse.create(error, "r-1");
  return { status, headers, problem: JSON.parse((body as Buffer).toString()) };
};

test("the problem of a wrong query names each wrong parameter", () => {
  const { status, headers, problem } = responseTo(
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
  [new Refusal("unsupported", "image.heif_codec", "HEIF"), 415, undefined],
  // not one of the kinds that delivery throws today: it has its status all the same
  [new VisibleError("conflict", "image.unfinished", "Not ready"), 409, undefined],
])("%s has the status of its kind", (error, status, retryAfter) => {
  const response = responseTo(error);
  expect(response.status).toBe(status);
  expect(response.headers["Retry-After"]).toBe(retryAfter);
  expect(response.problem).toMatchObject({ code: error.code, detail: error.message });
});

test("the response to a range that is not satisfiable has the size of the image", () => {
  const { status, headers } = responseTo(new Range.RangeNotSatisfiable(120));
  expect([status, headers["Content-Range"]]).toEqual([416, "bytes */120"]);
});

test("a bug is logged whole, and the response has only the request's id", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const error = new Error("secret key AKIA");
  const { status, problem } = responseTo(error);
  expect([status, problem.code]).toEqual([500, "internal"]);
  expect(JSON.stringify(problem)).not.toContain("AKIA");
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ error, requestId: "r-1" }));
  log.mockRestore();
});

test("a failure of AWS is 503 with a time to retry, and is logged", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const call = { service: "s3", method: "GET", path: "/" } as const;
  const error = new AwsError(call, 503, "<Error><Code>SlowDown</Code></Error>");
  const { status, headers, problem } = responseTo(error);
  expect([status, headers["Retry-After"], problem.code]).toEqual([503, "2", "service.unavailable"]);
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ error }));
  log.mockRestore();
});

test("the problem of 1,500 unknown keys lists ten", () => {
  const keys = Array.from({ length: 1_500 }, (_, n) => [`k${n}`, [""]]);
  const { problem } = responseTo(thrown(() => Request.parse(Object.fromEntries(keys))));
  expect(problem.errors).toHaveLength(10);
  expect(JSON.stringify(problem).length).toBeLessThan(10_000);
});

function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
