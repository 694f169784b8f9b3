import { type Kind, VisibleError } from "@balde/core/error";
import { Refusal } from "@balde/imaging/refusal";

import type { DeliveryResponse } from "./delivery-response.ts";
import { RangeNotSatisfiable } from "./range.ts";
import * as ResponseHeaders from "./response-headers.ts";

/** The meanings that a delivery can end with. */
const meanings: Partial<Record<Kind, readonly [status: number, title: string]>> = {
  invalid: [400, "The request is not valid"],
  not_found: [404, "Not found"],
  too_large: [413, "Too large"],
  unsupported: [415, "Unsupported content type"],
  unprocessable: [422, "Understood, but impossible"],
  unavailable: [503, "Not available now"],
};

type Problem = { status: number; title: string; detail: string; code: string };
type Where = { parameter: string; value: string; detail: string };

/** The error as a problem (RFC 9457). An error that is not meant for clients is logged whole, and the response has only the request's id. */
export function create(error: unknown, requestId: string): DeliveryResponse {
  if (error instanceof RangeNotSatisfiable) return outside(error, requestId);
  const isVisible = error instanceof VisibleError || error instanceof Refusal;
  const meaning = isVisible ? meanings[error.kind] : undefined;
  if (!isVisible || !meaning) return internal(error, requestId);
  const [status, title] = meaning;
  const problem = { status, title, detail: error.message, code: error.code };
  if (error instanceof Refusal)
    return response(
      problem,
      requestId,
      {},
      error.problems?.map(({ key, ...rest }) => ({ parameter: key, ...rest })),
    );
  const { retryAfterSeconds } = error;
  return response(
    problem,
    requestId,
    retryAfterSeconds && { "Retry-After": `${retryAfterSeconds}` },
  );
}

function internal(error: unknown, requestId: string): DeliveryResponse {
  console.error({ message: "An image was not delivered", requestId, error });
  return response(
    {
      status: 500,
      title: "Internal error",
      detail: "Something went wrong on our side. Quote the requestId when you report it.",
      code: "internal",
    },
    requestId,
  );
}

const outside = ({ size, message }: RangeNotSatisfiable, requestId: string) =>
  response(
    { status: 416, title: "Range not satisfiable", detail: message, code: "delivery.bad_range" },
    requestId,
    { "Content-Range": `bytes */${size}` },
  );

function response(
  { status, title, detail, code }: Problem,
  requestId: string,
  headers: Record<string, string> | 0 | undefined = {},
  errors?: Where[],
): DeliveryResponse {
  const body = { type: "about:blank", title, status, detail, code, requestId, errors };
  return {
    status,
    headers: {
      ...ResponseHeaders.safety,
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...headers,
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}
