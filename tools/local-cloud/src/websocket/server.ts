import { randomBytes } from "node:crypto";
import {
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
  createServer,
} from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer } from "ws";

import { newExtendedRequestId, newRequestId } from "../apigateway/request-fields.ts";
import type { Dependencies } from "../apigateway/dependencies.ts";
import { GatewayError, describeCause } from "../apigateway/gateway-error.ts";
import type { StageAddress } from "./local-addresses.ts";
import { compile } from "./compile.ts";
import { type Connection, MAX_MESSAGE_BYTES, serveConnection } from "./connection.ts";
import type { CompiledWebSocketApi } from "./compiled-api.ts";
import type { ConnectionInfo } from "./websocket-event.ts";
import { acceptHandshake } from "./handshake.ts";
import { handleConnectionsRequest } from "./connections-api.ts";

export type WebSockets = {
  server: Server;
  /** The path of each API on this server, without a trailing slash. */
  stages: ({ apiName: string } & StageAddress)[];
  /** Drops every connection and waits for its `$disconnect`. */
  stop(): Promise<void>;
};

/** Returns a server for the graph's WebSocket APIs and their `@connections`, as API Gateway would serve them. @throws StartError */
export function createWebSockets(
  dependencies: Pick<Dependencies, "graph" | "functions" | "principals" | "clock" | "log">,
): WebSockets {
  const { clock, log } = dependencies;
  const apiByPath = apisByPath(compile(dependencies));
  const connections = new Map<string, ReturnType<typeof serveConnection>>();
  const disconnecting = new Set<Promise<void>>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    // the subprotocol that `$connect` chose
    handleProtocols: (offered, req) => {
      const chosen = protocols.get(req);
      return chosen !== undefined && offered.has(chosen) ? chosen : false;
    },
  });
  const protocols = new WeakMap<IncomingMessage, string>();
  const server = createServer((req, res) => void request(req, res));
  server.on("upgrade", (req, stream, head) => void upgrade(req, stream, head));

  return {
    server,
    stages: [...apiByPath].map(([path, { name, endpoint }]) => ({
      apiName: name,
      endpoint,
      path,
    })),
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      await Promise.all(disconnecting);
    },
  };

  async function upgrade(req: IncomingMessage, stream: Duplex, head: Buffer) {
    const started = performance.now();
    stream.on("error", () => {});
    const { api, rawQuery, rest } = locate(req.url ?? "/");
    const peer = peerOf(req, api);
    let status = 101;
    try {
      if (!api || (rest !== "" && rest !== "/"))
        throw new GatewayError("ACCESS_DENIED", {
          text: "Forbidden",
          errorType: "ForbiddenException",
        });
      const headers = await acceptHandshake(peer, { req, rawQuery }, dependencies);
      const chosen = Object.entries(headers).find(
        ([name]) => name.toLowerCase() === "sec-websocket-protocol",
      )?.[1];
      if (chosen !== undefined) protocols.set(req, chosen);
      sockets.handleUpgrade(req, stream, head, (socket) => {
        const connection = serveConnection(peer, socket, stream, dependencies);
        connections.set(peer.connectionId, connection);
        disconnecting.add(connection.done);
        socket.once("close", () => connections.delete(peer.connectionId));
        void connection.done.finally(() => disconnecting.delete(connection.done));
      });
    } catch (error) {
      const gatewayError = asRefusal(error);
      status = gatewayError.status;
      rejectHandshake(stream, gatewayError, peer.connectionId);
    }
    log.request({
      method: "CONNECT",
      path: req.url?.split("?")[0] ?? "/",
      status,
      ms: performance.now() - started,
      requestId: peer.connectionId,
      function: api?.routes.get("$connect")?.functionName,
    });
  }

  async function request(req: IncomingMessage, res: ServerResponse) {
    const { api, rest } = locate(req.url ?? "/");
    const id = /^\/(?:@|%40)connections\/([^/]+)$/.exec(rest)?.[1];
    try {
      if (!api || !id)
        throw new GatewayError("ACCESS_DENIED", {
          text: "Forbidden",
          errorType: "ForbiddenException",
        });
      const connectionId = decodeURIComponent(id);
      const find = (wanted: string): Connection | undefined => {
        const found = connections.get(wanted);
        return found?.peer.api === api ? found : undefined;
      };
      await handleConnectionsRequest(req, res, { api, connectionId }, find, dependencies);
    } catch (error) {
      const { status, errorType, text } = asRefusal(error);
      req.resume();
      const body = JSON.stringify({ message: text });
      res.writeHead(status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "x-amzn-errortype": errorType,
        "x-amzn-requestid": newRequestId(),
      });
      res.end(body);
    }
  }

  function peerOf(req: IncomingMessage, api: CompiledWebSocketApi | undefined): ConnectionInfo {
    return {
      api: api!,
      connectionId: `${randomBytes(11).toString("base64url")}=`,
      connectedAt: clock.now(),
      domainName: req.headers.host?.replace(/:\d+$/, "") ?? "",
      sourceIp: req.socket.remoteAddress ?? "127.0.0.1",
      userAgent: req.headers["user-agent"],
      authorizer: undefined,
    };
  }

  function asRefusal(error: unknown): GatewayError {
    const gatewayError =
      error instanceof GatewayError
        ? error
        : new GatewayError("API_CONFIGURATION_ERROR", { cause: error });
    if (gatewayError.cause !== undefined)
      log.warn(`WebSocket: ${describeCause(gatewayError.cause)}`);
    return gatewayError;
  }

  function locate(url: string) {
    const [target = "", rawQuery = ""] = url.split(/\?(.*)/s);
    // a client may encode the dollar sign of the stage $default
    const path = target.replaceAll("%24", "$");
    const found = [...apiByPath].find(
      ([prefix]) => path === prefix || path.startsWith(`${prefix}/`),
    );
    return { api: found?.[1], rawQuery, rest: found ? path.slice(found[0].length) : path };
  }
}

/** Answers a handshake with an error and closes the connection. */
function rejectHandshake(
  stream: Duplex,
  { status, errorType, text }: GatewayError,
  connectionId: string,
) {
  if (stream.destroyed) return;
  const requestId = newRequestId();
  const body = JSON.stringify({ message: text, connectionId, requestId });
  stream.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      `x-amzn-RequestId: ${requestId}`,
      `x-amz-apigw-id: ${newExtendedRequestId()}`,
      `x-amzn-ErrorType: ${errorType}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

/** Returns the APIs by path: `/{stage}`, or `/_apis/{api id}/{stage}` where several APIs have a stage of that name. */
function apisByPath(apis: CompiledWebSocketApi[]): Map<string, CompiledWebSocketApi> {
  const names = Map.groupBy(apis, ({ stage }) => stage);
  return new Map(
    apis.map((api) => [
      names.get(api.stage)!.length === 1 ? `/${api.stage}` : `/_apis/${api.id}/${api.stage}`,
      api,
    ]),
  );
}
