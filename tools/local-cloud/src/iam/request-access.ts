import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { readAll } from "../read-all.ts";
import type { AccessRequest, Statement } from "./policy.ts";
import { type Principal, type Principals, authorize } from "./principals.ts";
import * as VerifySignature from "./verify-signature.ts";

/** A refusal in the terms of AWS's JSON protocols; anything else that is thrown is a bug and answers 500. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;

  /** `type` is the shape's name, with or without its namespace. */
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export type RequestAccess = {
  /** Whose signature it is; throws a Fault when there is none, or it is not good. */
  authenticate(request: IncomingMessage, body: Buffer): Principal;
  /** Throws a Fault, and logs, when the principal's policies do not allow what is asked. */
  authorize(principal: Principal, ask: AccessRequest, ofResource?: readonly Statement[]): void;
};

export function createRequestAccess({
  service,
  region,
  principals,
  clock,
  log,
  /** SQS words its refusals with the action in lower case. */
  actionInMessage = (action: string) => action,
}: {
  service: string;
  region: string;
  principals: Principals;
  clock: Clock;
  log: Log;
  actionInMessage?: (action: string) => string;
}): RequestAccess {
  const find = (accessKeyId: string) => principals.find(accessKeyId);
  return {
    authenticate(request, body) {
      const signed = {
        method: request.method ?? "POST",
        url: request.url ?? "/",
        headers: request.headers,
        body,
      };
      const verify = VerifySignature.isPresigned(signed)
        ? VerifySignature.verifyQuery
        : VerifySignature.verifyHeader;
      const outcome = verify(signed, find, {
        service,
        region,
        now: Date.now(),
        ageOf: clock.since,
      });
      if (outcome.ok) return outcome.principal;
      throw new ServiceError(coral + signatureErrors[outcome.problem], outcome.message);
    },
    authorize(principal, ask, ofResource) {
      const decision = authorize(principal, ask, log, ofResource);
      if (decision.allowed) return;
      const message = decision.message.replaceAll(ask.action, actionInMessage(ask.action));
      throw new ServiceError(`${coral}AccessDeniedException`, message);
    },
  };
}

export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  // what is too large is drained, not kept: a destroyed socket would hide the answer
  const body = await readAll(request, limit);
  if (body.length > limit)
    throw new ServiceError(`${coral}RequestEntityTooLargeException`, "", 413);
  return body;
}

/** The operation of an `X-Amz-Target: Service_Version.Operation`. */
export function parseTarget(request: IncomingMessage): { prefix: string; operation: string } {
  const [prefix = "", operation = ""] = String(request.headers["x-amz-target"] ?? "").split(".");
  return { prefix, operation };
}

export function parseInput(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body.toString("utf8") || "{}");
    if (input !== null && typeof input === "object" && !Array.isArray(input))
      return input as Record<string, unknown>;
  } catch {
    // the same answer as for JSON that is no object
  }
  throw new ServiceError(`${coral}SerializationException`, "The request body is not a JSON object");
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

/** Coral's own exceptions spell `Message` with a capital; readers of both spellings exist, the SDK takes either. */
export function sendError(
  response: ServerResponse,
  error: unknown,
  log: Log,
  headers: (fault: ServiceError) => Record<string, string> = () => ({}),
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!(error instanceof ServiceError)) log.error("a request failed", { error: String(error) });
  const fault =
    error instanceof ServiceError
      ? error
      : new ServiceError(`${coral}InternalFailure`, "Internal failure", 500);
  const key = fault.type.startsWith(coral) ? "Message" : "message";
  sendJson(response, fault.status, { __type: fault.type, [key]: fault.message }, headers(fault));
}

const coral = "com.amazon.coral.service#";

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const signatureErrors: Record<VerifySignature.SignatureProblem, string> = {
  missing: "MissingAuthenticationTokenException",
  malformed: "IncompleteSignatureException",
  "wrong-scope": "InvalidSignatureException",
  "unknown-key": "UnrecognizedClientException",
  "bad-token": "UnrecognizedClientException",
  skewed: "InvalidSignatureException",
  "not-yet-valid": "InvalidSignatureException",
  expired: "InvalidSignatureException",
  "unsigned-header": "InvalidSignatureException",
  mismatch: "InvalidSignatureException",
};
