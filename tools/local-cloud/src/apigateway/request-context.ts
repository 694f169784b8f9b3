import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

import { random } from "../random.ts";
import type { BackendCall } from "./backend-call.ts";
import type { Method, Stage } from "./compiled-api.ts";
import type * as Query from "./query.ts";
import type * as RequestTrace from "./request-trace.ts";

/** One request on its way through the gateway. */
export type RequestContext = {
  stage: Stage;
  method: Method;
  httpMethod: string;
  /** As `event.path` has it: without the stage, percent-encoding kept. */
  path: string;
  /** As `requestContext.path` has it: with the stage. */
  fullPath: string;
  pathParameters: Record<string, string> | null;
  query: Query.Values | null;
  rawQuery: string;
  /** Names as the client wrote them, in order. */
  headers: [name: string, value: string][];
  /** Lower-case names, as node joins them. */
  header: (name: string) => string | undefined;
  body: Buffer;
  requestId: string;
  extendedRequestId: string;
  trace: RequestTrace.Trace;
  time: number;
  identity: Identity;
  /** What `requestContext.authorizer` will be; undefined without an authorizer. */
  authorizer: Record<string, unknown> | undefined;
  /** The API key that an authorizer names (`usageIdentifierKey`). */
  apiKeyFromAuthorizer: string | undefined;
  /** The function that was called, for the log. */
  functionName: string | undefined;
  /** What was called for it, in order. */
  backendCalls: BackendCall[];
  /** Aborted when the client goes away. */
  signal: AbortSignal | undefined;
};

/** What is known of a request that is refused: its stage may be unknown, its method may not exist. */
export type PartialRequestContext = Partial<Pick<RequestContext, "stage" | "method">> &
  Omit<RequestContext, "stage" | "method">;

type Identity = {
  sourceIp: string;
  userAgent: string | null;
  accessKey: string | null;
  accountId: string | null;
  caller: string | null;
  user: string | null;
  userArn: string | null;
  apiKey?: string;
  apiKeyId?: string;
};

/** What goes back: a whole body, or a stream of unknown length. */
export type HttpResponse = {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer | string | Readable;
};

/** The header fields of a request, with the names that a Lambda would see. */
export function rawHeaderFields(req: IncomingMessage): [string, string][] {
  const raw = req.rawHeaders;
  const list: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i]!, raw[i + 1]!]);
  return list;
}

export const newRequestId = () => randomUUID();

export const newExtendedRequestId = () => `${random(11).toString("base64url")}=`;
