import { VisibleError } from "@balde/core/error";
import * as Unavailable from "@balde/core/unavailable";
import * as Problem from "@balde/http/problem";
import { RangeNotSatisfiable } from "@balde/http/range";
import { Refusal } from "@balde/imaging/refusal";

import type { DeliveryResponse } from "./delivery-response.ts";
import * as ResponseHeaders from "./response-headers.ts";

/** The error as a problem (RFC 9457). An error that is not meant for clients is logged whole, and the response has only the request's id. */
export function create(error: unknown, requestId: string): DeliveryResponse {
  if (error instanceof RangeNotSatisfiable)
    return response(Problem.rangeNotSatisfiable(error.size, requestId), {
      "Content-Range": `bytes */${error.size}`,
    });
  if (error instanceof Refusal) {
    const errors = error.problems?.map(({ key, ...rest }) => ({ parameter: key, ...rest }));
    return response(Problem.create(error.kind, error, requestId, errors));
  }
  if (error instanceof VisibleError) return visible(error, requestId);
  console.error({ message: "An image was not delivered", requestId, error });
  const unavailable = Unavailable.fromError(error);
  return unavailable ? visible(unavailable, requestId) : response(Problem.internal(requestId));
}

const visible = (error: VisibleError, requestId: string) =>
  response(
    Problem.create(error.kind, error, requestId),
    error.retryAfterSeconds ? { "Retry-After": String(error.retryAfterSeconds) } : {},
  );

const response = (
  problem: Problem.Problem,
  headers: Record<string, string> = {},
): DeliveryResponse => ({
  status: problem.status,
  headers: {
    ...ResponseHeaders.safety,
    "Content-Type": Problem.contentType,
    "Cache-Control": "no-store",
    ...headers,
  },
  body: Buffer.from(JSON.stringify(problem)),
});
