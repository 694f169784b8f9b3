import type { IncomingMessage, ServerResponse } from "node:http";

import type { Method, PartialRequestContext, Stage } from "./types.ts";
import * as RequestFields from "./request-fields.ts";
import type { Dependencies } from "./dependencies.ts";
import * as Query from "./query.ts";
import * as RouteTree from "./route-tree.ts";
import * as RequestTrace from "./request-trace.ts";

export type RequestTarget = {
  stage: Stage | undefined;
  path: string;
  fullPath: string;
  rawQuery: string;
};

/** Splits the request target into stage, path and query, without decoding. */
export function parseTarget(url: string, stages: Map<string, Stage>): RequestTarget {
  // the client of a proxy sends an absolute URL; a fragment is not part of a request target (RFC 9112, 3.2)
  const requestTarget = url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
  const mark = requestTarget.indexOf("?");
  const whole = mark < 0 ? requestTarget : requestTarget.slice(0, mark);
  const rawQuery = mark < 0 ? "" : requestTarget.slice(mark + 1);
  // `//stage/x` is `/stage/x` [V-AWS]
  const fullPath = whole.replace(/^\/{2,}/, "/");
  const parts = fullPath.split("/", 4);
  const prefix = parts[1] === "_apis" ? parts.slice(0, 4).join("/") : `/${parts[1] ?? ""}`;
  const stage = stages.get(prefix);
  // `/stage//x` reaches the function as `/x`, further double slashes stay [V-AWS]
  const path = `/${fullPath.slice(prefix.length).replace(/^\/+/, "")}`;
  // requestContext.path begins with the stage, even if the local path begins with the API's id
  const pathWithStage = stage ? fullPath.slice(prefix.length - stage.name.length - 1) : fullPath;
  return { stage, path, fullPath: pathWithStage, rawQuery };
}

/** Returns the context of a new request, with its route if there is one. Its `signal` aborts when the client disconnects. */
export function createContext(
  req: IncomingMessage,
  res: ServerResponse,
  { stage, path, fullPath, rawQuery }: RequestTarget,
  { clock, traces }: Dependencies,
): PartialRequestContext {
  const now = clock.now();
  const httpMethod = req.method ?? "GET";
  const hit = stage && route(stage, path, httpMethod);
  const { headers } = req;
  const sample = () => (stage?.isTraced ?? false) && (traces?.sample() ?? true);
  const disconnected = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) disconnected.abort();
  });
  return {
    ...(stage && { stage }),
    ...(hit && { method: hit.method }),
    httpMethod,
    path,
    fullPath,
    pathParameters: hit?.parameters ?? null,
    query: Query.parse(rawQuery),
    rawQuery,
    headers: RequestFields.rawHeaderFields(req),
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: EMPTY,
    requestId: RequestFields.newRequestId(),
    extendedRequestId: RequestFields.newExtendedRequestId(),
    trace: RequestTrace.create(headers["x-amzn-trace-id"]?.toString(), now, sample),
    time: now,
    identity: {
      sourceIp: req.socket.remoteAddress ?? "127.0.0.1",
      userAgent: headers["user-agent"] ?? null,
      accessKey: null,
      accountId: null,
      caller: null,
      user: null,
      userArn: null,
    },
    authorizer: undefined,
    apiKeyFromAuthorizer: undefined,
    functionName: undefined,
    backendCalls: [],
    signal: disconnected.signal,
  };
}

const EMPTY = Buffer.alloc(0);

function route(
  stage: Stage,
  path: string,
  httpMethod: string,
): RouteTree.RouteMatch<Method> | undefined {
  // a trailing slash does not matter for matching [V-AWS]
  const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(1, -1) : path.slice(1);
  return RouteTree.match(stage.api.routes, trimmed === "" ? [] : trimmed.split("/"), httpMethod);
}

/** "Payload size 10 MB" https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
export const MAX_BODY_BYTES = 10_485_760;
