import type { IncomingMessage } from "node:http";

import { requestTime } from "../apigateway/lambda-event.ts";
import { newExtendedRequestId, newRequestId } from "../apigateway/request-context.ts";
import * as Query from "../apigateway/query.ts";
import type { CompiledWebSocketApi } from "./compiled-api.ts";

/** Who is at the other end, as every event of the connection says. */
export type ConnectionInfo = {
  api: CompiledWebSocketApi;
  connectionId: string;
  connectedAt: number;
  domainName: string;
  sourceIp: string;
  userAgent: string | undefined;
  /** What the authorizer found out on `$connect`. */
  authorizer: Record<string, unknown> | undefined;
};

type EventType = "CONNECT" | "MESSAGE" | "DISCONNECT";

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html */
export function requestContext(
  peer: ConnectionInfo,
  routeKey: string,
  eventType: EventType,
  now: number,
) {
  const { api, connectionId, connectedAt, domainName, sourceIp, userAgent, authorizer } = peer;
  return {
    routeKey,
    ...(authorizer && { authorizer }),
    eventType,
    extendedRequestId: newExtendedRequestId(),
    requestTime: requestTime(now),
    messageDirection: "IN",
    stage: api.stage,
    connectedAt,
    requestTimeEpoch: now,
    identity: { ...(userAgent !== undefined && { userAgent }), sourceIp },
    requestId: newRequestId(),
    domainName,
    connectionId,
    apiId: api.id,
  };
}

/** The handshake's headers and query; no other event has them. */
export function handshakeFields(
  req: IncomingMessage,
  rawQuery: string,
  { api, sourceIp }: ConnectionInfo,
) {
  const headers: Record<string, string> = {};
  const multiValueHeaders: Record<string, string[]> = {};
  const put = (name: string, value: string) => {
    headers[name] = value;
    (multiValueHeaders[name] ??= []).push(value);
  };
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i]!;
    if (!DROPPED.has(name.toLowerCase())) put(name, req.rawHeaders[i + 1]!);
  }
  put("X-Forwarded-For", sourceIp);
  const query = Query.parse(rawQuery);
  return {
    headers,
    multiValueHeaders,
    ...(query && {
      queryStringParameters: Query.lastValues(query),
      multiValueQueryStringParameters: query,
    }),
    ...(api.variables && { stageVariables: api.variables }),
  };
}

const DROPPED = new Set(["connection", "upgrade", "content-length", "transfer-encoding"]);
