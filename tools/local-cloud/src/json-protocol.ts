import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Log } from "./log.ts";
import { readBody } from "./read-body.ts";
import { ServiceError, toServiceError } from "./service-error.ts";

// AWS's JSON protocols, in which DynamoDB and SQS are called: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html

/** Returns the body of a request. @throws ServiceError with 413 if it has more than `maxBytes`. */
export async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const body = await readBody(request, maxBytes);
  if (!body)
    throw new ServiceError(
      "com.amazon.coral.service#RequestEntityTooLargeException",
      `The request body has more than ${maxBytes} bytes`,
      413,
    );
  return body;
}

/** Returns the two parts of `X-Amz-Target: Service_Version.Operation`. */
export function parseTarget(request: IncomingMessage): { prefix: string; operation: string } {
  const [prefix = "", operation = ""] = String(request.headers["x-amz-target"] ?? "").split(".");
  return { prefix, operation };
}

/** Returns the fields of a request; an empty body has none. @throws ServiceError if it is not a JSON object. */
export function parseInput(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body.toString("utf8") || "{}");
    if (input !== null && typeof input === "object" && !Array.isArray(input))
      return input as Record<string, unknown>;
  } catch {
    // the same error as for JSON that is not an object
  }
  throw new ServiceError(
    "com.amazon.coral.service#SerializationException",
    "The request body is not a JSON object",
  );
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": Buffer.byteLength(text),
    "x-amzn-requestid": randomUUID(),
    ...headers,
  });
  response.end(text);
}

/** Sends an error; if the response has begun already it can only close the connection. */
export function sendError(response: ServerResponse, error: unknown, log: Log): void {
  if (response.headersSent || response.destroyed) response.destroy();
  else sendServiceError(response, toServiceError(error, log));
}

export function sendServiceError(
  response: ServerResponse,
  { type, status, message }: ServiceError,
  headers: Record<string, string> = {},
): void {
  // errors of Coral, the framework, spell `Message` with a capital: AWS's SDKs read either
  const key = type.startsWith("com.amazon.coral.service#") ? "Message" : "message";
  sendJson(response, status, { __type: type, [key]: message }, headers);
}
