import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { readAll } from "../read-all.ts";
import type { Ask, Statement } from "./policy.ts";
import { type Principal, type Principals, authorize } from "./principals.ts";
import * as Sigv4 from "./sigv4.ts";

/** A refusal in the terms of AWS's JSON protocols; anything else that is thrown is a bug and answers 500. */
export class Fault extends Error {
  readonly type: string;
  readonly status: number;

  /** `type` is the shape's name, with or without its namespace. */
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export type Guard = {
  /** Whose signature it is; throws a Fault when there is none, or it is not good. */
  identify(request: IncomingMessage, body: Buffer): Principal;
  /** Throws a Fault, and logs, when the principal's policies do not allow what is asked. */
  permit(principal: Principal, ask: Ask, ofResource?: readonly Statement[]): void;
};

export function createGuard({
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
}): Guard {
  const find = (accessKeyId: string) => principals.find(accessKeyId);
  return {
    identify(request, body) {
      const signed = {
        method: request.method ?? "POST",
        url: request.url ?? "/",
        headers: request.headers,
        body,
      };
      const verify = Sigv4.isPresigned(signed) ? Sigv4.verifyQuery : Sigv4.verifyHeader;
      const outcome = verify(signed, find, {
        service,
        region,
        now: Date.now(),
        since: clock.since,
      });
      if (outcome.ok) return outcome.principal;
      throw new Fault(coral + signatureFaults[outcome.problem], outcome.message);
    },
    permit(principal, ask, ofResource) {
      const decision = authorize(principal, ask, log, ofResource);
      if (decision.allowed) return;
      const message = decision.message.replaceAll(ask.action, actionInMessage(ask.action));
      throw new Fault(`${coral}AccessDeniedException`, message);
    },
  };
}

export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  // what is too large is drained, not kept: a destroyed socket would hide the answer
  const body = await readAll(request, limit);
  if (body.length > limit) throw new Fault(`${coral}RequestEntityTooLargeException`, "", 413);
  return body;
}

/** The operation of an `X-Amz-Target: Service_Version.Operation`. */
export function target(request: IncomingMessage): { prefix: string; operation: string } {
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
  throw new Fault(`${coral}SerializationException`, "The request body is not a JSON object");
}

export function send(
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
export function sendFault(
  response: ServerResponse,
  error: unknown,
  log: Log,
  headers: (fault: Fault) => Record<string, string> = () => ({}),
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!(error instanceof Fault)) log.error("a request failed", { error: String(error) });
  const fault =
    error instanceof Fault ? error : new Fault(`${coral}InternalFailure`, "Internal failure", 500);
  const key = fault.type.startsWith(coral) ? "Message" : "message";
  send(response, fault.status, { __type: fault.type, [key]: fault.message }, headers(fault));
}

const coral = "com.amazon.coral.service#";

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const signatureFaults: Record<Sigv4.Problem, string> = {
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
