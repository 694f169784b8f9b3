import { type Kind, VisibleError } from "@balde/core/error";
import { Refusal } from "@balde/imaging/refusal";

import type { Answer } from "./serve-image.ts";
import * as ResponseHeaders from "./response-headers.ts";
import * as Range from "./range.ts";

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

/** An error as RFC 9457 has it. What may not be shown goes to the log, whole, and nothing but the request's id goes out. */
export function answer(error: unknown, requestId: string): Answer {
  if (error instanceof Range.Outside) return outside(error, requestId);
  const isVisible = error instanceof VisibleError || error instanceof Refusal;
  const meaning = isVisible ? meanings[error.kind] : undefined;
  if (!isVisible || !meaning) return internal(error, requestId);
  const [status, title] = meaning;
  const problem = { status, title, detail: error.message, code: error.code };
  if (error instanceof Refusal)
    return answered(
      problem,
      requestId,
      {},
      error.problems?.map(({ key, ...rest }) => ({ parameter: key, ...rest })),
    );
  const { retryAfterSeconds } = error;
  return answered(
    problem,
    requestId,
    retryAfterSeconds && { "Retry-After": `${retryAfterSeconds}` },
  );
}

function internal(error: unknown, requestId: string): Answer {
  console.error({ message: "not delivered", requestId, error });
  return answered(
    {
      status: 500,
      title: "Internal error",
      detail: "Something went wrong on our side. Quote the requestId when you report it.",
      code: "internal",
    },
    requestId,
  );
}

const outside = ({ size, message }: Range.Outside, requestId: string) =>
  answered(
    { status: 416, title: "Range not satisfiable", detail: message, code: "delivery.bad_range" },
    requestId,
    { "Content-Range": `bytes */${size}` },
  );

function answered(
  { status, title, detail, code }: Problem,
  requestId: string,
  headers: Record<string, string> | 0 | undefined = {},
  errors?: Where[],
): Answer {
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
