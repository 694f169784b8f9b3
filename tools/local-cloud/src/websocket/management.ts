import type { IncomingMessage, ServerResponse } from "node:http";

import { lowerCased, signer } from "../apigateway/authorizer/iam.ts";
import * as RequestContext from "../apigateway/request-context.ts";
import type { Parts } from "../apigateway/dependencies.ts";
import { Refusal } from "../apigateway/refusal.ts";
import { readBody } from "../apigateway/request.ts";
import { type Connection, MAX_MESSAGE_BYTES } from "./connection.ts";
import type { Api } from "./definition.ts";

type Needs = Pick<Parts, "graph" | "principals" | "clock" | "log">;

/** `@connections/{id}`: what a backend says to a client, asks of it, or ends. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html */
export async function manage(
  req: IncomingMessage,
  res: ServerResponse,
  { api, connectionId }: { api: Api; connectionId: string },
  find: (connectionId: string) => Connection | undefined,
  parts: Needs,
): Promise<void> {
  const body = (await readBody(req)) ?? TOO_LARGE;
  const method = req.method ?? "GET";
  const headers = lowerCased(RequestContext.fields(req));
  const ask = {
    action: "execute-api:ManageConnections",
    resource: `${api.executionArn}/${api.stage}/${method}/@connections/${connectionId}`,
  };
  signer({ method, url: req.url ?? "/", headers, body }, ask, parts);
  const connection = find(connectionId);
  if (!connection?.isOpen()) throw new Refusal("RESOURCE_NOT_FOUND", { ...gone });
  switch (method) {
    case "POST":
      if (body.length > MAX_MESSAGE_BYTES)
        throw new Refusal("REQUEST_TOO_LARGE", {
          text: "Message too long",
          errorType: "PayloadTooLargeException",
        });
      connection.send(body);
      return answer(res, 200, "");
    case "GET":
      return answer(res, 200, JSON.stringify(describe(connection)));
    case "DELETE":
      connection.close();
      return answer(res, 204, "");
    default:
      throw new Refusal("MISSING_AUTHENTICATION_TOKEN");
  }
}

const TOO_LARGE = Buffer.alloc(MAX_MESSAGE_BYTES + 1);

const gone = { status: 410, text: "Gone", errorType: "GoneException" };

const describe = ({ peer, lastActiveAt }: Connection) => ({
  connectedAt: new Date(peer.connectedAt).toISOString(),
  identity: { sourceIp: peer.sourceIp, userAgent: peer.userAgent },
  lastActiveAt: new Date(lastActiveAt).toISOString(),
});

function answer(res: ServerResponse, status: number, body: string) {
  res.writeHead(status, {
    "content-type": "application/json",
    "x-amzn-requestid": RequestContext.newRequestId(),
    ...(status !== 204 && { "content-length": Buffer.byteLength(body) }),
  });
  res.end(body);
}
