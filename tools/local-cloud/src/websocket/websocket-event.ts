import type { IncomingMessage } from "node:http";

import { requestTime } from "../apigateway/lambda-event.ts";
import { newExtendedRequestId, newRequestId } from "../apigateway/request-fields.ts";
import * as Query from "../apigateway/query.ts";
import type { CompiledWebSocketApi } from "./compiled-api.ts";

/** A connection and its client, as every event of it reports. */
export type ConnectionInfo = {
  api: CompiledWebSocketApi;
  connectionId: string;
  connectedAt: number;
  domainName: string;
  sourceIp: string;
  userAgent: string | undefined;
  /** The output of the authorizer on `$connect`. */
  authorizer: Record<string, unknown> | undefined;
};

type EventType = "CONNECT" | "MESSAGE" | "DISCONNECT";

/** Returns the `requestContext` of an event. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html */
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

/** Returns the headers and the query of a handshake, which only the `$connect` event has. */
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
