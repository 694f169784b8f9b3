import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { readBody } from "../read-body.ts";

/** One event on its way to a function's process. */
export type Event = {
  requestId: string;
  payload: Buffer;
  functionArn: string;
  /** Milliseconds since the epoch, on the real clock: a timeout does not follow the virtual clock. */
  deadline: number;
  /** How far the cloud's clock is ahead of the real one. */
  aheadMs: number;
  traceHeader: string;
  clientContext?: string | undefined;
};

/** What the Runtime API does with the requests of one process. */
type RuntimeClient = {
  /** The process asks for its next event; `deliver` sends it, now or later. */
  next(deliver: (event: Event) => void): void;
  /** Resolves when the body has been read; true if it was within the limit. */
  response(requestId: string, body: IncomingMessage): Promise<boolean>;
  error(requestId: string, body: Buffer): void;
  initError(body: Buffer): void;
};

export type RuntimeApi = {
  /** Registers a process; returns the value of its AWS_LAMBDA_RUNTIME_API. */
  register(token: string, client: RuntimeClient): string;
  forget(token: string): void;
  stop(): Promise<void>;
};

/**
 * The Lambda Runtime API, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, for all processes on one port:
 * a random first path segment identifies the process and keeps other programs out. `/next` at the end of the path of a
 * result asks for the next event in the response.
 */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const clients = new Map<string, { client: RuntimeClient; posting: Promise<void> }>();
  const server = createServer((request, response) => {
    const [, token = "", version, , ...path] = request.url!.split("/");
    const known = clients.get(token);
    if (!known || version !== "2018-06-01") return answer(response, 403);
    const { client, posting } = known;
    // a process asks for its next event right after its result, which may still be being read
    if (request.method === "GET" && path.join("/") === "invocation/next")
      return void posting.then(() => client.next((event) => deliver(event, response)));
    if (request.method !== "POST") return answer(response, 404);
    known.posting = post(client, path, request, response).catch(() => void response.destroy());
  });
  // a process waits for an event for any length of time
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    register(token, client) {
      clients.set(token, { client, posting: Promise.resolve() });
      return `127.0.0.1:${port}/${token}`;
    },
    forget: (token) => void clients.delete(token),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function post(
  client: RuntimeClient,
  [scope, requestId = "", verb, then]: string[],
  request: IncomingMessage,
  response: ServerResponse,
) {
  if (scope === "init" && requestId === "error") {
    client.initError(await readBody(request));
    return answer(response, 202);
  }
  let status = 202;
  if (verb === "error") client.error(requestId, await readBody(request));
  else if (verb === "response") status = (await client.response(requestId, request)) ? 202 : 413;
  else return answer(response, 404);
  if (then === "next") client.next((event) => deliver(event, response));
  else answer(response, status);
}

function deliver(event: Event, response: ServerResponse) {
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Content-Length": event.payload.length,
    "Lambda-Runtime-Aws-Request-Id": event.requestId,
    "Lambda-Runtime-Deadline-Ms": event.deadline,
    "Lambda-Runtime-Invoked-Function-Arn": event.functionArn,
    "Lambda-Runtime-Trace-Id": event.traceHeader,
    // not part of AWS's API, where time cannot be moved
    ...(event.aheadMs > 0 && { "Local-Clock-Ahead-Ms": event.aheadMs }),
    ...(event.clientContext && { "Lambda-Runtime-Client-Context": event.clientContext }),
  });
  response.end(event.payload);
}

function answer(response: ServerResponse, status: number) {
  response.writeHead(status, { "Content-Length": 0 }).end();
}
