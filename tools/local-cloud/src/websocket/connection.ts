import type { Duplex } from "node:stream";

import type { RawData, WebSocket } from "ws";

import { newRequestId } from "../apigateway/request-fields.ts";
import type { Dependencies } from "../apigateway/dependencies.ts";
import { GatewayError, describeCause } from "../apigateway/gateway-error.ts";
import * as WebsocketEvent from "./websocket-event.ts";
import * as FrameLengths from "./frame-lengths.ts";
import { invokeRoute } from "./invoke-route.ts";

// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
export const MAX_MESSAGE_BYTES = 131_072;
const MAX_FRAME_BYTES = 32_768;
const IDLE_MS = 10 * 60_000;
const LIFETIME_MS = 2 * 60 * 60_000;

// https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
const MESSAGE_TOO_BIG = 1009;

export type Connection = {
  peer: WebsocketEvent.ConnectionInfo;
  lastActiveAt: number;
  /** False once either side has begun to close the connection. */
  isOpen(): boolean;
  send(message: Buffer): void;
  close(): void;
};

type Needs = Pick<Dependencies, "functions" | "clock" | "log">;

/** Serves one client from the accepted handshake to `$disconnect`; `done` resolves after that. */
export function serveConnection(
  peer: WebsocketEvent.ConnectionInfo,
  socket: WebSocket,
  stream: Duplex,
  { functions, clock, log }: Needs,
): Connection & { done: Promise<void> } {
  const { promise: closed, resolve: end } = Promise.withResolvers<void>();
  const ended = new AbortController();
  const connection = {
    peer,
    lastActiveAt: clock.now(),
    isOpen: () => socket.readyState === socket.OPEN,
    send(message: Buffer) {
      connection.lastActiveAt = clock.now();
      socket.send(message, { binary: false });
    },
    close: () => socket.close(1000),
    done: closed,
  };

  FrameLengths.watchFrameLengths(stream, (bytes) => {
    if (bytes > MAX_FRAME_BYTES) socket.close(MESSAGE_TOO_BIG, "Frame too big");
  });
  socket.on("message", (data, isBinary) => {
    connection.lastActiveAt = clock.now();
    if (!connection.isOpen()) return;
    if (isBinary) return socket.close(UNSUPPORTED_DATA, "Unsupported data");
    void receive(text(data));
  });
  socket.on("ping", () => (connection.lastActiveAt = clock.now()));
  // a message over the limit or an invalid frame: `ws` closes with the matching code
  socket.on("error", () => {});
  socket.on("close", (code, reason) => {
    ended.abort();
    void disconnected(code, reason.toString()).finally(end);
  });
  void retire().catch(() => {});
  return connection;

  async function receive(body: string) {
    const started = performance.now();
    const { api, connectionId } = peer;
    const key = routeKey(body);
    const route = key === undefined ? undefined : api.routes.get(key);
    const requestId = newRequestId();
    let status = 200;
    try {
      if (!route) throw new GatewayError("ACCESS_DENIED", { text: "Forbidden" });
      const context = WebsocketEvent.requestContext(peer, route.key, "MESSAGE", clock.now());
      const requestContext = { ...context, requestId, messageId: context.extendedRequestId };
      const event = { requestContext, body, isBase64Encoded: false };
      const reply = await invokeRoute(route, event, functions);
      if (route.hasResponse && reply.body !== "" && connection.isOpen())
        connection.send(Buffer.from(reply.body));
    } catch (error) {
      const gatewayError =
        error instanceof GatewayError
          ? error
          : new GatewayError("API_CONFIGURATION_ERROR", { cause: error });
      status = gatewayError.status;
      if (gatewayError.cause !== undefined)
        log.warn(`WebSocket ${route?.key ?? key}: ${describeCause(gatewayError.cause)}`, {
          requestId,
        });
      // the connection stays open [V-WILD]
      const frame = JSON.stringify({ message: gatewayError.text, connectionId, requestId });
      if (connection.isOpen()) connection.send(Buffer.from(frame));
    }
    log.request({
      method: "MESSAGE",
      path: `/${api.stage} ${route?.key ?? "-"}`,
      status,
      ms: performance.now() - started,
      requestId,
      function: route?.functionName,
    });
  }

  function routeKey(body: string): string | undefined {
    const named = peer.api.select(parsed(body));
    if (named !== undefined && !named.startsWith("$") && peer.api.routes.has(named)) return named;
    return peer.api.routes.has("$default") ? "$default" : undefined;
  }

  /** Invokes `$disconnect` after the connection is closed, best effort. [V-DOC] */
  async function disconnected(code: number, reason: string) {
    const route = peer.api.routes.get("$disconnect");
    if (!route) return;
    const headers = { Host: peer.domainName, "x-api-key": "", "x-restapi": "" };
    const event = {
      headers,
      multiValueHeaders: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, [value]]),
      ),
      requestContext: {
        ...WebsocketEvent.requestContext(peer, "$disconnect", "DISCONNECT", clock.now()),
        disconnectStatusCode: code,
        disconnectReason: reason,
      },
      isBase64Encoded: false,
    };
    try {
      await invokeRoute(route, event, functions);
    } catch (error) {
      log.warn(`WebSocket $disconnect: ${(error as Error).message}`);
    }
  }

  /** Closes the connection after ten idle minutes, or after two hours. The close code is not documented. [K] */
  async function retire() {
    for (;;) {
      const end = Math.min(connection.lastActiveAt + IDLE_MS, peer.connectedAt + LIFETIME_MS);
      const left = end - clock.now();
      if (left <= 0) return socket.close(GOING_AWAY, "Going away");
      await clock.sleep(left, ended.signal);
    }
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const text = (data: RawData) =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString("utf8");
