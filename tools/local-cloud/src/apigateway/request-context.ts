import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

import { random } from "../random.ts";
import type { BackendCall } from "./backend-call.ts";
import type { Method, Stage } from "./compiled-api.ts";
import type * as Query from "./query.ts";
import type * as RequestTrace from "./request-trace.ts";

/** A request with its route, and what the steps of the gateway add to it. */
export type RequestContext = {
  stage: Stage;
  method: Method;
  httpMethod: string;
  /** Like `event.path`: without the stage, not decoded. */
  path: string;
  /** Like `requestContext.path`: with the stage. */
  fullPath: string;
  pathParameters: Record<string, string> | null;
  query: Query.Values | null;
  rawQuery: string;
  /** In the client's order and casing. */
  headers: [name: string, value: string][];
  /** Returns the joined values of a header by its lower-case name. */
  header: (name: string) => string | undefined;
  body: Buffer;
  requestId: string;
  extendedRequestId: string;
  trace: RequestTrace.Trace;
  time: number;
  identity: Identity;
  /** Becomes `requestContext.authorizer`; undefined without an authorizer. */
  authorizer: Record<string, unknown> | undefined;
  /** The API key that an authorizer returned as `usageIdentifierKey`. */
  apiKeyFromAuthorizer: string | undefined;
  /** The function of the integration, for logs. */
  functionName: string | undefined;
  /** The calls made for the request, in order. */
  backendCalls: BackendCall[];
  /** Aborts when the client disconnects. */
  signal: AbortSignal | undefined;
};

/** A request that may have no known stage or method. */
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

/** A response with a whole body, or with a stream of unknown length. */
export type HttpResponse = {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer | string | Readable;
};

/** Returns the header fields of a request in their order and casing. */
export function rawHeaderFields(req: IncomingMessage): [string, string][] {
  const raw = req.rawHeaders;
  const list: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i]!, raw[i + 1]!]);
  return list;
}

export const newRequestId = () => randomUUID();

export const newExtendedRequestId = () => `${random(11).toString("base64url")}=`;
