import type { IncomingMessage, ServerResponse } from "node:http";

import { headersByLowerCaseName, authorizeSignedRequest } from "../apigateway/authorizer/iam.ts";
import * as RequestFields from "../apigateway/request-fields.ts";
import type { Dependencies } from "../apigateway/dependencies.ts";
import { GatewayError } from "../apigateway/gateway-error.ts";
import { MAX_BODY_BYTES } from "../apigateway/incoming-request.ts";
import { readBody } from "../read-body.ts";
import { type Connection, MAX_MESSAGE_BYTES } from "./connection.ts";
import type { CompiledWebSocketApi } from "./compiled-api.ts";

type Needs = Pick<Dependencies, "graph" | "principals" | "clock" | "log">;

/** Handles `@connections/{id}`, with which a backend sends to a connection, describes it or closes it. @throws GatewayError. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html */
export async function handleConnectionsRequest(
  req: IncomingMessage,
  res: ServerResponse,
  { api, connectionId }: { api: CompiledWebSocketApi; connectionId: string },
  find: (connectionId: string) => Connection | undefined,
  dependencies: Needs,
): Promise<void> {
  const body = (await readBody(req, MAX_BODY_BYTES)) ?? TOO_LARGE;
  const method = req.method ?? "GET";
  const headers = headersByLowerCaseName(RequestFields.rawHeaderFields(req));
  const access = {
    action: "execute-api:ManageConnections",
    resource: `${api.executionArn}/${api.stage}/${method}/@connections/${connectionId}`,
  };
  authorizeSignedRequest({ method, url: req.url ?? "/", headers, body }, access, dependencies);
  const connection = find(connectionId);
  if (!connection?.isOpen()) throw new GatewayError("RESOURCE_NOT_FOUND", { ...connectionGone });
  switch (method) {
    case "POST":
      if (body.length > MAX_MESSAGE_BYTES)
        throw new GatewayError("REQUEST_TOO_LARGE", {
          text: "Message too long",
          errorType: "PayloadTooLargeException",
        });
      connection.send(body);
      return sendResponse(res, 200, "");
    case "GET":
      return sendResponse(res, 200, JSON.stringify(describe(connection)));
    case "DELETE":
      connection.close();
      return sendResponse(res, 204, "");
    default:
      throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
  }
}

const TOO_LARGE = Buffer.alloc(MAX_MESSAGE_BYTES + 1);

const connectionGone = { status: 410, text: "Gone", errorType: "GoneException" };

const describe = ({ peer, lastActiveAt }: Connection) => ({
  connectedAt: new Date(peer.connectedAt).toISOString(),
  identity: { sourceIp: peer.sourceIp, userAgent: peer.userAgent },
  lastActiveAt: new Date(lastActiveAt).toISOString(),
});

function sendResponse(res: ServerResponse, status: number, body: string) {
  res.writeHead(status, {
    "content-type": "application/json",
    "x-amzn-requestid": RequestFields.newRequestId(),
    ...(status !== 204 && { "content-length": Buffer.byteLength(body) }),
  });
  res.end(body);
}
