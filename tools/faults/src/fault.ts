import type { Call, Service } from "./aws-call.ts";

/**
 * What goes wrong with one call:
 * - `drop`: the connection is reset, and the service never sees the request
 * - `lostAnswer`: the service carries the request out, and the connection is reset before its response
 * - `delay`: the request is delivered after `ms`
 * - `error500`, `throttled`: the service answers in its own format and does nothing
 * - `cut`: the head of the response and half of its body, then the connection is reset
 * - `stall`: the head of the response and half of its body, and then nothing until the caller closes the connection
 *
 * A response without a body can be neither cut nor stalled in the middle: then all of it is lost.
 */
export const kinds = [
  "drop",
  "lostAnswer",
  "delay",
  "error500",
  "throttled",
  "cut",
  "stall",
] as const;

export type Kind = (typeof kinds)[number];

/** `ms` is of `delay`; default 200. `hold` keeps the request until the promise is settled; it is delivered if the caller still waits. */
export type Fault =
  | { kind: Kind; ms?: number }
  | { kind: "hold"; until: (call: Call) => Promise<unknown> };

type ErrorResponse = { status: number; headers: Record<string, string>; body: string };

/** Returns the response of a service with an internal error or with too many requests, in its own format. */
export function errorResponse(service: Service, kind: "error500" | "throttled"): ErrorResponse {
  const [status, code] = errors[service][kind];
  const message = kind === "throttled" ? "Reduce your request rate." : "An internal error.";
  if (service === "S3") {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    return { status, headers: { "content-type": "application/xml" }, body };
  }
  const body = JSON.stringify({ __type: code, message });
  const query = { "x-amzn-query-error": `${code.replace(/^.*#/, "")};Receiver` };
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.0", ...(service === "SQS" && query) },
    body,
  };
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
const errors = {
  S3: { error500: [500, "InternalError"], throttled: [503, "SlowDown"] },
  DYNAMODB: {
    error500: [500, "com.amazonaws.dynamodb.v20120810#InternalServerError"],
    throttled: [400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"],
  },
  SQS: {
    error500: [500, "com.amazon.coral.service#InternalFailure"],
    throttled: [400, "com.amazonaws.sqs#RequestThrottled"],
  },
} as const;
